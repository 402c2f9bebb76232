package localnet

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/assay-net/assay/fabricnet/gobuild"
)

const serviceCommand = "assay-chaincode"

// prepareService makes a contract service's folder.
func prepareService(l layout, org string) error {
	if err := os.MkdirAll(l.service(org), 0o700); err != nil {
		return err
	}
	return makeServiceTLS(l, org)
}

func serviceProgram(s *state, l layout, o *organisation) *program {
	binary := s.Service
	if o.Binary != "" {
		binary = o.Binary
	}
	command := []string{
		binary, "serve", "--id", o.PackageID, "--address", address(o.ServicePort), "--genesis", l.genesis(), "--data", l.service(o.ID),
		"--tls-cert", l.serviceTLS(o.ID, serverCertificate), "--tls-key", l.serviceTLS(o.ID, serverKey),
		"--tls-client-roots", l.serviceTLS(o.ID, clientCertificate),
	}
	if _, err := os.Stat(l.srs(o.ID)); err == nil {
		command = append(command, "--srs", l.srs(o.ID))
	}
	return &program{
		name: serviceName(o.ID), role: RoleContract, organisation: o.ID, listeners: []listener{{"listening port", o.ServicePort}},
		dir: l.service(o.ID), command: command, ready: listens(o.ServicePort),
	}
}

// useBinaries settles which program each contract service is.
func useBinaries(ctx context.Context, l layout, s *state, o *Options) error {
	for id, path := range o.Services {
		org, ok := s.organisation(id)
		if !ok {
			return fmt.Errorf("a contract service is given for %q, which is no organisation of this network", id)
		}
		binary, err := given(path)
		if err != nil {
			return fmt.Errorf("contract service of %s: %w", id, err)
		}
		org.Binary = binary
	}
	var err error
	s.Service, err = serviceBinary(ctx, l, s.Service, o)
	return err
}

func given(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	return path, gobuild.Executable(path)
}

// serviceBinary is the one given now or before, the one beside the running program, or one built from its source.
func serviceBinary(ctx context.Context, l layout, before string, o *Options) (string, error) {
	if o.Contract != "" {
		path, err := given(o.Contract)
		if err != nil {
			return "", fmt.Errorf("contract service: %w", err)
		}
		return path, nil
	}
	built := l.path("bin", serviceCommand)
	if before != "" && before != built && gobuild.Executable(before) == nil {
		return before, nil
	}
	if self, err := os.Executable(); err == nil {
		if path := filepath.Join(filepath.Dir(self), serviceCommand); gobuild.Executable(path) == nil {
			return path, nil
		}
	}
	source, ok := sourceRoot()
	if !ok {
		return "", fmt.Errorf("contract service: there is no %s beside this program and none was named", serviceCommand)
	}
	o.report("building the contract service")
	return built, buildService(ctx, source, built)
}

// sourceRoot is the folder of the module that the running program was built from, if it is still there.
func sourceRoot() (string, bool) {
	_, file, _, ok := runtime.Caller(0)
	if !ok || !filepath.IsAbs(file) {
		return "", false
	}
	root := filepath.Dir(filepath.Dir(filepath.Dir(file)))
	_, err := os.Stat(filepath.Join(root, "cmd", serviceCommand))
	return root, err == nil
}

// buildService replaces the binary by a new file: the old one may be running.
func buildService(ctx context.Context, source, path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	if _, err := output(ctx, gobuild.Command(ctx, source, "build", "-o", path+".new", "./cmd/"+serviceCommand)); err != nil {
		return fmt.Errorf("building the contract service: %w", err)
	}
	return os.Rename(path+".new", path)
}
