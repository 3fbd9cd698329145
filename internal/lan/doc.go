// Package lan lets other machines of the same network in (`bonghwa serve --lan`): which addresses this machine has there,
// a certificate of its own for them, a listener, and a QR code for the terminal.
//
// Guarantees: only machines that are near get past Accept: of this network, or with an address of a kind that no router
// passes on to the world (private, of a provider's or an overlay network's own, of the link), so of private networks beside
// this one as well (in a container: whoever reaches the published port); all others are closed before a byte is read. The key never leaves the data directory, whose owner alone
// can read it. A browser that comes to the encrypted port without TLS is sent on to https; nothing else is answered there in
// the open. Not given: that a browser trusts the certificate - no authority vouches for it, so that each device asks once,
// and whoever prints the fingerprint beside it can compare.
package lan
