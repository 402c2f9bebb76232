package node

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/assay-net/assay/datahub/store/postgrestest"
	"github.com/assay-net/assay/zk/measure"
)

var (
	benchTable    = flag.String("bench-table", "", "measure a node and write the figures to this file")
	benchDuration = flag.Duration("bench-duration", 2*time.Minute, "how long each load lasts")
	benchRate     = flag.Int("bench-rate", 100_000, "readings a second that devices offer")
)

const benchDevices = 1000

// TestBenchTable measures a node in a process of its own, with devices in another process on the same machine, over MQTT and TLS. Nothing is asserted about time.
func TestBenchTable(t *testing.T) {
	if *benchTable == "" {
		t.Skip("run by make bench-ingest")
	}
	binary := filepath.Join(t.TempDir(), "assay")
	build := exec.Command("go", "build", "-o", binary, "github.com/assay-net/assay/cmd/assay")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	table := measure.NewTable(os.Stdout)
	for _, driver := range []string{"sqlite", "postgres"} {
		t.Run(driver, func(t *testing.T) {
			b := &benchNode{t: t, binary: binary, dir: t.TempDir()}
			b.configure(driver)
			b.measure(table, driver)
		})
	}
	t.Run("closing", func(t *testing.T) { benchClosing(t, table) })
	if err := table.Write(*benchTable); err != nil {
		t.Fatal(err)
	}
}

// benchNode is a node in a process of its own.
type benchNode struct {
	t           *testing.T
	binary, dir string
	cmd         *exec.Cmd
	operations  string
	peakMiB     float64
}

func (b *benchNode) configure(driver string) {
	url := "sqlite:assay.db"
	var env string
	if driver == "postgres" {
		// As an installation has it: with fsync.
		env = postgrestest.Start(b.t, postgrestest.Options{}).Database(b.t)
		b.t.Setenv("ASSAY_BENCH_DATABASE", env)
		url = "env:ASSAY_BENCH_DATABASE"
	}
	b.operations = freeAddress(b.t)
	text := fmt.Sprintf(`
data: %s
operations: {listen: "%s"}
api: {listen: "", grpc: ""}
ledger: {trial: {directory: ledger, epoch: 1h, anchor_window: 30m}}
fleets: [{id: fleet-a, chunk_size: 1024, battery: {rated_capacity_Ah: "50", low_voltage_V: "302.4", high_voltage_V: "403.2", max_voltage_V: "450"}}]
keys: {driver: file, file: {directory: keys}}
store: {url: "%s"}
broker: {listen: "%s"}
ingest: {frames_per_second: 100000, burst: 1000}
`, filepath.Join(b.dir, "data"), b.operations, url, freeAddress(b.t))
	if err := os.WriteFile(b.config(), []byte(text), 0o600); err != nil {
		b.t.Fatal(err)
	}
}

func (b *benchNode) config() string { return filepath.Join(b.dir, "owner.yaml") }

// start starts the node and returns how long it took until it was ready.
func (b *benchNode) start() time.Duration {
	b.t.Helper()
	b.cmd = exec.Command(b.binary, "serve", "--config", b.config())
	b.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	log, err := b.cmd.StderrPipe()
	if err != nil {
		b.t.Fatal(err)
	}
	began := time.Now()
	if err := b.cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	ready := make(chan time.Duration, 1)
	go func() {
		for lines := bufio.NewScanner(log); lines.Scan(); {
			line := lines.Text()
			if strings.Contains(line, "msg=ready") {
				ready <- time.Since(began)
			}
			if strings.Contains(line, "level=ERROR") || testing.Verbose() && strings.Contains(line, "level=WARN") {
				fmt.Fprintln(os.Stderr, line)
			}
		}
	}()
	select {
	case took := <-ready:
		return took
	case <-time.After(5 * time.Minute):
		b.t.Fatal("the node does not become ready")
		return 0
	}
}

func (b *benchNode) end(signal os.Signal) {
	b.cmd.Process.Signal(signal) //nolint:errcheck // Wait tells
	b.cmd.Wait()                 //nolint:errcheck // it may have been killed
}

// load is what the generator of devices says at its end.
type load struct {
	ReadingsPerSecond float64 `json:"readings_per_second"`
	CPUCores          float64 `json:"cpu_cores"`
	Seconds           float64 `json:"seconds"`
	P50               float64 `json:"acknowledgement_p50_ms"`
	P99               float64 `json:"acknowledgement_p99_ms"`
	Sent              float64 `json:"frames_sent"`
	Resent            float64 `json:"frames_resent"`
}

func (b *benchNode) devices(ctx context.Context, rate int, duration time.Duration, more ...string) load {
	b.t.Helper()
	args := append([]string{"device", "simulate", "--json", "--node", filepath.Join(b.dir, "data"), "--devices", strconv.Itoa(benchDevices),
		"--rate", strconv.Itoa(rate), "--readings-per-frame", "10", "--duration", duration.String(), "--drain", "2m", "--history=false"}, more...)
	cmd := exec.CommandContext(ctx, b.binary, args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	var l load
	if err != nil && ctx.Err() == nil {
		b.t.Errorf("devices: %v", err)
	}
	if ctx.Err() == nil {
		if err := json.Unmarshal(out, &l); err != nil {
			b.t.Fatalf("devices say %q: %v", out, err)
		}
	}
	return l
}

func (b *benchNode) measure(table *measure.Table, driver string) {
	b.start()
	watching, stop := context.WithCancel(b.t.Context())
	go b.watch(watching)
	before := b.metric("process_cpu_seconds_total")
	began := time.Now()
	l := b.devices(b.t.Context(), *benchRate, *benchDuration)
	cores := (b.metric("process_cpu_seconds_total") - before) / time.Since(began).Seconds()
	stop()
	const asked = 12_000
	table.Add("readings_per_second_"+driver, l.ReadingsPerSecond, "1/s", "a billion a day, 12 000/s", l.ReadingsPerSecond/asked)
	table.Add("acknowledgement_p50_ms_"+driver, l.P50, "ms", "", 0)
	table.Add("acknowledgement_p99_ms_"+driver, l.P99, "ms", "", 0)
	table.Add("frames_sent_again_share_"+driver, l.Resent/max(1, l.Sent), "", "", 0)
	table.Add("node_cores_"+driver, cores, "cores", "", 0)
	table.Add("generator_cores_"+driver, l.CPUCores, "cores", "node_cores_"+driver, l.CPUCores/max(0.01, cores))
	table.Add("node_peak_mib_"+driver, b.peakMiB, "MiB", "512 MiB", b.peakMiB/512)
	b.paced(table, driver)
	b.recovery(table, driver)
	b.end(syscall.SIGTERM)
}

// paced is the load of a billion readings a day: how long an acknowledgement takes when the node is not overrun.
func (b *benchNode) paced(table *measure.Table, driver string) {
	l := b.devices(b.t.Context(), 12_000, min(*benchDuration, 30*time.Second))
	table.Add("paced_12000_acknowledgement_p50_ms_"+driver, l.P50, "ms", "", 0)
	table.Add("paced_12000_acknowledgement_p99_ms_"+driver, l.P99, "ms", "", 0)
}

// recovery kills the node under load and measures how long it takes until devices can connect again.
func (b *benchNode) recovery(table *measure.Table, driver string) {
	ctx, cancel := context.WithCancel(b.t.Context())
	done := make(chan struct{})
	go func() { defer close(done); b.devices(ctx, *benchRate, time.Minute) }()
	before := b.metric("assay_ingest_accepted_total")
	for end := time.Now().Add(time.Minute); b.metric("assay_ingest_accepted_total") < before+20_000 && time.Now().Before(end); {
		time.Sleep(200 * time.Millisecond)
	}
	b.end(syscall.SIGKILL)
	took := b.start()
	cancel()
	<-done
	table.Add("recovery_after_kill_seconds_"+driver, took.Seconds(), "s", "", 0)
}

// watch keeps the highest memory.
func (b *benchNode) watch(ctx context.Context) {
	for sleep(ctx, time.Second) == nil {
		b.peakMiB = max(b.peakMiB, b.metric("process_resident_memory_bytes")/(1<<20))
	}
}

// metric reads one of the node's metrics.
func (b *benchNode) metric(name string) float64 {
	r, err := http.Get("http://" + b.operations + "/metrics")
	if err != nil {
		return 0
	}
	defer r.Body.Close() //nolint:errcheck // it was only read
	for lines := bufio.NewScanner(r.Body); lines.Scan(); {
		if value, ok := strings.CutPrefix(lines.Text(), name+" "); ok {
			v, err := strconv.ParseFloat(value, 64)
			if err != nil {
				b.t.Error(err)
			}
			return v
		}
	}
	return 0
}
