// Package drill tests the fire drill as an operator runs it: the command, its exit code, what it prints and writes.
package drill
