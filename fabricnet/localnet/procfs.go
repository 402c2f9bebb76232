package localnet

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// identity names one run of a process. Its number alone does not: the kernel gives it to another once the process is gone.
type identity struct {
	PID int `json:"pid"`
	// Start is when the process started, in the kernel's ticks since boot; Boot is the id of that boot.
	Start uint64 `json:"start"`
	Boot  string `json:"boot"`
}

// identify reads the identity of a process that runs now.
func identify(pid int) (identity, error) {
	start, _, err := stat(pid)
	if err != nil {
		return identity{}, err
	}
	boot, err := bootID()
	if err != nil {
		return identity{}, err
	}
	return identity{PID: pid, Start: start, Boot: boot}, nil
}

// runs reports whether this very process still runs. One that has ended and waits for its parent to notice does not.
func (i identity) runs() bool {
	start, dead, err := stat(i.PID)
	return err == nil && !dead && start == i.Start && i.thisBoot()
}

func (i identity) thisBoot() bool {
	boot, err := bootID()
	return err == nil && boot == i.Boot
}

// signal sends a signal to this process if it still runs. The handle is taken before the identity is checked, so that the signal cannot reach another.
func (i identity) signal(s os.Signal) error {
	p, err := os.FindProcess(i.PID)
	if err != nil {
		return fmt.Errorf("finding process %d: %w", i.PID, err)
	}
	defer p.Release() //nolint:errcheck // closes a handle
	if !i.runs() {
		return nil
	}
	if err := p.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("signalling process %d: %w", i.PID, err)
	}
	return nil
}

func bootID() (string, error) {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(b)), err
}

// stat reads a process' start time and whether it is dead from /proc/PID/stat, see proc_pid_stat(5).
func stat(pid int) (start uint64, dead bool, err error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, false, err
	}
	return parseStat(b)
}

func parseStat(b []byte) (start uint64, dead bool, err error) {
	// The second field is the command's name in parentheses, and may hold any character.
	end := bytes.LastIndexByte(b, ')')
	if end < 0 {
		return 0, false, errors.New("process status has no command name")
	}
	fields := strings.Fields(string(b[end+1:]))
	const stateField, threadsField, startField = 0, 17, 19 // the third, 20th and 22nd of the line
	if len(fields) <= startField {
		return 0, false, fmt.Errorf("process status has %d fields after the name, at least %d", len(fields), startField+1)
	}
	start, err = strconv.ParseUint(fields[startField], 10, 64)
	if err != nil {
		return 0, false, fmt.Errorf("process start time: %w", err)
	}
	// A killed process whose first thread is gone still holds its ports and files until the last one is.
	ended := fields[stateField] == "Z" || fields[stateField] == "X"
	return start, ended && (fields[threadsField] == "0" || fields[threadsField] == "1"), nil
}

// memory is the resident memory of a process in bytes, 0 if that cannot be told.
func memory(pid int) int64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if value, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")), 10, 64)
			if err != nil {
				return 0
			}
			return kib << 10
		}
	}
	return 0
}
