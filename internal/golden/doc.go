// Package golden holds, per released version, a small log with the chain of every view after every entry, and tests that
// the code of today replays each of them to the same chains, verdicts and contents. It has no code of its own.
//
// Guaranteed by that: a log written by a released version means today what it meant then, on either kind of store. Not
// guaranteed: that today's encoders write the same bytes; the logs are kept as bytes and never encoded anew.
package golden
