// Package term is the terminal client: `bonghwa chat`.
//
// Guarantees: what is typed is not destroyed by what arrives; nothing that people write can move the cursor or change
// the terminal; a message that was typed is shown as sent only when the server has acknowledged it. Not given: old lines
// are not redrawn, so unread numbers are those of the moment at which a line was printed.
package term
