//go:build !linux

package main

import "syscall"

// own is how processes are started that an interrupt at the terminal is not meant for.
func own() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
