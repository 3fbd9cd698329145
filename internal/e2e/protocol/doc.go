// Package protocol shows that docs/protocol.md is true: it runs the examples, in order, against a real server, and
// compares the table of errors with the schema and with what the server says.
package protocol
