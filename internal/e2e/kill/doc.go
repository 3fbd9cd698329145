// Package kill proves that what was acknowledged survives kill -9: rounds of load through the public client, the server
// killed at a random moment of each and started again on the same data, and an audit of every room over the public API.
package kill
