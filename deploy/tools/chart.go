package main

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"helm.sh/helm/v3/pkg/lint"
	"helm.sh/helm/v3/pkg/lint/support"
	"helm.sh/helm/v3/pkg/releaseutil"
	"k8s.io/apimachinery/pkg/runtime"
)

// What the chart is rendered as, and for: the version of Kubernetes whose types are linked here.
const (
	release    = "assay"
	namespace  = "assay"
	kubernetes = "v1.34.0"
)

// checkChart lints a chart with values over its own, and gives the objects of which all is well.
func checkChart(dir string, valueFiles []string) ([]runtime.Object, error) {
	values := chartutil.Values{}
	for _, file := range valueFiles {
		var err error
		if values, err = chartutil.ReadValuesFile(file); err != nil {
			return nil, fmt.Errorf("values %s: %w", file, err)
		}
	}
	version, err := chartutil.ParseKubeVersion(kubernetes)
	if err != nil {
		return nil, err
	}
	if err := lintChart(dir, values, version); err != nil {
		return nil, err
	}
	rendered, err := render(dir, values, version)
	if err != nil {
		return nil, fmt.Errorf("rendering %s: %w", dir, err)
	}
	return decodeAll(rendered)
}

// lintChart is `helm lint --strict`: a warning is an error.
func lintChart(dir string, values chartutil.Values, version *chartutil.KubeVersion) error {
	var found []error
	for _, m := range lint.AllWithKubeVersionAndSchemaValidation(dir, values, namespace, version, false).Messages {
		if m.Severity >= support.WarningSev {
			found = append(found, fmt.Errorf("lint: %w", m))
		}
	}
	return errors.Join(found...)
}

// render is `helm template`. A value that a template reads and that is not there is an error.
func render(dir string, values chartutil.Values, version *chartutil.KubeVersion) (map[string]string, error) {
	chart, err := loader.Load(dir)
	if err != nil {
		return nil, err
	}
	if !chartutil.IsCompatibleRange(chart.Metadata.KubeVersion, version.Version) {
		return nil, fmt.Errorf("kubeVersion %s leaves %s out", chart.Metadata.KubeVersion, version.Version)
	}
	target := chartutil.DefaultCapabilities.Copy()
	target.KubeVersion = *version
	options := chartutil.ReleaseOptions{Name: release, Namespace: namespace, Revision: 1, IsInstall: true}
	all, err := chartutil.ToRenderValues(chart, values, options, target)
	if err != nil {
		return nil, err
	}
	return engine.Engine{Strict: true}.Render(chart, all)
}

func decodeAll(rendered map[string]string) (objects []runtime.Object, err error) {
	var found []error
	for _, name := range slices.Sorted(maps.Keys(rendered)) {
		if strings.HasSuffix(name, "NOTES.txt") || strings.HasPrefix(path.Base(name), "_") {
			continue
		}
		documents := releaseutil.SplitManifests(rendered[name])
		for _, key := range slices.Sorted(maps.Keys(documents)) {
			object, err := decode(documents[key])
			if err != nil {
				found = append(found, fmt.Errorf("%s: %w", name, err))
				continue
			}
			objects = append(objects, object)
		}
	}
	return objects, errors.Join(found...)
}
