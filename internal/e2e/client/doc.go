// Package client has end-to-end tests of the Go client and the terminal client: the real server, real files, and kill -9.
package client
