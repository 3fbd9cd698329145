// Package backup proves that what a backup holds can be had again: copies taken under load and killed half-way, restores
// and what they mean to clients that had seen more, and the tools that look into logs and views. It has tests only.
package backup
