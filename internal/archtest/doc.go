// Package archtest holds tests of the shape of the code: which package may import which and why, which schema may import
// which, and that the rules of the schemas do not change unseen. It has no code of its own.
//
// A change that needs a new import between packages changes a table here, with the reason, in the same commit.
package archtest
