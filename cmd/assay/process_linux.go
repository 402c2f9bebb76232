package main

import "syscall"

// own is how processes are started that an interrupt at the terminal is not meant for, and that do not outlive this one.
func own() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}
