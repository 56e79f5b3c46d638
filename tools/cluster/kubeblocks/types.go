package main

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var clusterResource = schema.GroupVersionResource{
	Group: "apps.kubeblocks.io", Version: "v1alpha1", Resource: "clusters",
}

// finalizer keeps a deleted Cluster until its objects are gone.
const finalizer = "cluster.kubeblocks.io/finalizer"

// phaseAnnotation names the phase to tell for as long as it is there, such as Failed. Tests set
// it; the real KubeBlocks knows nothing of it.
const phaseAnnotation = "stand.fullstackagent.io/phase"

// cluster is what the stand-in reads of a Cluster; crd.yaml has the whole definition.
type cluster struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              clusterSpec   `json:"spec"`
	Status            clusterStatus `json:"status"`
}

type clusterSpec struct {
	TerminationPolicy string      `json:"terminationPolicy"`
	ClusterVersionRef string      `json:"clusterVersionRef"`
	ComponentSpecs    []component `json:"componentSpecs"`
}

type component struct {
	Name                 string                      `json:"name"`
	Replicas             int32                       `json:"replicas"`
	ServiceAccountName   string                      `json:"serviceAccountName"`
	Resources            corev1.ResourceRequirements `json:"resources"`
	VolumeClaimTemplates []claimTemplate             `json:"volumeClaimTemplates"`
}

type claimTemplate struct {
	Name string                           `json:"name"`
	Spec corev1.PersistentVolumeClaimSpec `json:"spec"`
}

type phase string

const (
	none     phase = ""
	creating phase = "Creating"
	running  phase = "Running"
	updating phase = "Updating"
	stopping phase = "Stopping"
	stopped  phase = "Stopped"
	deleting phase = "Deleting"
	failed   phase = "Failed"
)

type clusterStatus struct {
	ObservedGeneration int64                      `json:"observedGeneration,omitempty"`
	Phase              phase                      `json:"phase,omitempty"`
	Components         map[string]componentStatus `json:"components,omitempty"`
}

type componentStatus struct {
	Phase     phase `json:"phase,omitempty"`
	PodsReady bool  `json:"podsReady"`
}

func parseCluster(object any) (*cluster, error) {
	c := &cluster{}
	content := object.(*unstructured.Unstructured).UnstructuredContent()
	err := runtime.DefaultUnstructuredConverter.FromUnstructured(content, c)
	return c, err
}

// replicas is the sum over all components: a cluster stops as a whole.
func (c *cluster) replicas() int32 {
	sum := int32(0)
	for _, component := range c.Spec.ComponentSpecs {
		sum += component.Replicas
	}
	return sum
}

// owner makes the garbage collector delete what belongs to the cluster, whatever happens.
func (c *cluster) owner() []metav1.OwnerReference {
	return []metav1.OwnerReference{{
		APIVersion: c.APIVersion, Kind: c.Kind, Name: c.Name, UID: c.UID,
	}}
}

func (c *cluster) labels() map[string]string {
	return map[string]string{
		"app.kubernetes.io/instance":   c.Name,
		"app.kubernetes.io/managed-by": "kubeblocks",
		"app.kubernetes.io/name":       "postgresql",
	}
}

func (c *cluster) componentLabels(name string) map[string]string {
	labels := c.labels()
	labels["apps.kubeblocks.io/component-name"] = name
	return labels
}
