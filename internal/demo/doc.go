// Package demo is the twelve people of `bonghwa demo`: what they say, to whom and when, and the program that says it
// through the public client.
//
// Guarantees: they are marked as simulated before they say a word; they sign up, talk and answer only through what every
// client can do, but for the operator's calls that mark them and make them friends of newcomers; the same seed and the
// same events give the same talk. They say at most Options.PerDay messages a day and data directory, answers to people
// aside, and those are bounded too. What a person writes to them is looked at to choose an answer, and not kept.
//
// Cast decides and knows no clock, no goroutine and no network; Run drives it.
package demo
