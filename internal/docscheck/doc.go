// Package docscheck holds tests that keep the documents true: a service that "works" names a test that runs, links
// lead somewhere, every package has one comment and a place in ARCHITECTURE.md, and no file speaks of somebody's
// machine. It has no code of its own.
package docscheck
