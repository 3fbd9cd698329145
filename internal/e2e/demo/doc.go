// Package demo tests `bonghwa demo` and --lan with real processes: a newcomer meets twelve people, the people's process may
// die without the server and never outlives it, and a phone's camera reads the printed code.
package demo
