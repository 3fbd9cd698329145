// How much of an open log stays in memory.

/** keptAround is how many rows stay, those nearest to the one that is looked at: 2 to 4 MB. While somebody finds words in them,
    keptToFind. */
export const keptAround = 3000
export const keptToFind = 20_000
/** stride: rows are let go of so many at a time, for that costs a look at all of them. */
export const stride = 500
