package main

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

var decoder = serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer()

// decode reads one object into its Kubernetes type, and checks its pod if it has one.
func decode(document string) (runtime.Object, error) {
	object, _, err := decoder.Decode([]byte(document), nil, nil)
	if err != nil {
		return nil, err
	}
	if pod := podOf(object); pod != nil {
		if err := checkPod(pod); err != nil {
			return nil, err
		}
	}
	return object, nil
}

func podOf(object runtime.Object) *corev1.PodTemplateSpec {
	switch o := object.(type) {
	case *appsv1.StatefulSet:
		return &o.Spec.Template
	case *appsv1.Deployment:
		return &o.Spec.Template
	}
	return nil
}

// checkPod holds a pod to the newest version of the standard "restricted".
func checkPod(pod *corev1.PodTemplateSpec) error {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks())
	if err != nil {
		return err
	}
	level := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	if result := policy.AggregateCheckResults(evaluator.EvaluatePod(level, &pod.ObjectMeta, &pod.Spec)); !result.Allowed {
		return fmt.Errorf("pod security %s: %s", level, result.ForbiddenDetail())
	}
	return nil
}
