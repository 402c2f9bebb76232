// Command generate writes the code of package wire: go generate ./fabricnet/audit/wire, in a working copy of the project. It takes the descriptors that are compiled into Fabric's Go
// packages, so there is no second text of the messages that could differ from them.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func run() error {
	root, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return fmt.Errorf("finding the project: %w", err)
	}
	folder := filepath.Dir(string(bytes.TrimSpace(root)))
	code, err := generated(messages(), filepath.Join(folder, "deploy/proto/go.mod"))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, "fabricnet/audit/wire/wire.pb.go"), []byte(code), 0o644)
}

// generated runs protoc-gen-go as protoc would.
func generated(t *taken, tools string) (string, error) {
	request := &pluginpb.CodeGeneratorRequest{FileToGenerate: []string{fileName}, ProtoFile: append(dependencies(t), t.file)}
	in, err := proto.Marshal(request)
	if err != nil {
		return "", err
	}
	plugin := exec.Command("go", "tool", "-modfile="+tools, "protoc-gen-go")
	plugin.Stdin, plugin.Stderr = bytes.NewReader(in), os.Stderr
	out, err := plugin.Output()
	if err != nil {
		return "", fmt.Errorf("protoc-gen-go: %w", err)
	}
	response := new(pluginpb.CodeGeneratorResponse)
	if err := proto.Unmarshal(out, response); err != nil {
		return "", fmt.Errorf("protoc-gen-go: %w", err)
	}
	if response.Error != nil || len(response.File) != 1 {
		return "", errors.New("protoc-gen-go: " + response.GetError())
	}
	return response.File[0].GetContent(), nil
}

// dependencies are the files that stay where they are, each behind those that it needs.
func dependencies(t *taken) (files []*descriptorpb.FileDescriptorProto) {
	seen := map[string]bool{}
	var add func(f protoreflect.FileDescriptor)
	add = func(f protoreflect.FileDescriptor) {
		if seen[f.Path()] {
			return
		}
		seen[f.Path()] = true
		for i := range f.Imports().Len() {
			add(f.Imports().Get(i).FileDescriptor)
		}
		files = append(files, protodesc.ToFileDescriptorProto(f))
	}
	for _, path := range t.file.Dependency {
		add(t.kept[path])
	}
	return files
}
