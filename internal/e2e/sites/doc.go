// Package sites tests a cluster of real processes from end to end: how it forms, grows from one machine, lets sites in, and
// what becomes of people who talk while a site goes and comes back.
package sites
