package main

import (
	"crypto/rand"
	"math/big"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

const port = 5432

// serviceName is also the host that the credentials name, without a namespace, as 0.8 does.
func serviceName(c *cluster) string {
	return c.Name + "-postgresql"
}

func credentialsName(c *cluster) string {
	return c.Name + "-conn-credential"
}

func meta(c *cluster, name string, labels map[string]string) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Name: name, Namespace: c.Namespace, Labels: labels, OwnerReferences: c.owner(),
	}
}

// credentials has no member "database": the database that exists is "postgres".
func credentials(c *cluster) (*corev1.Secret, error) {
	password, err := randomPassword()
	if err != nil {
		return nil, err
	}
	host := serviceName(c)
	return &corev1.Secret{
		ObjectMeta: meta(c, credentialsName(c), c.labels()),
		StringData: map[string]string{
			"endpoint": host + ":5432",
			"host":     host,
			"password": password,
			"port":     "5432",
			"username": "postgres",
		},
	}, nil
}

func randomPassword() (string, error) {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789"
	password := make([]byte, 16)
	for i := range password {
		n, err := rand.Int(rand.Reader, big.NewInt(int64(len(letters))))
		if err != nil {
			return "", err
		}
		password[i] = letters[n.Int64()]
	}
	return string(password), nil
}

func service(c *cluster) *corev1.Service {
	return &corev1.Service{
		ObjectMeta: meta(c, serviceName(c), c.labels()),
		Spec: corev1.ServiceSpec{
			Selector: map[string]string{"app.kubernetes.io/instance": c.Name},
			Ports: []corev1.ServicePort{{
				Name: "tcp-postgresql", Port: port, TargetPort: intstr.FromString("tcp-postgresql"),
			}},
		},
	}
}

func statefulSet(c *cluster, component *component, image string) *appsv1.StatefulSet {
	name := c.Name + "-" + component.Name
	labels := c.componentLabels(component.Name)
	return &appsv1.StatefulSet{
		ObjectMeta: meta(c, name, labels),
		Spec: appsv1.StatefulSetSpec{
			Replicas:             &component.Replicas,
			ServiceName:          serviceName(c),
			PodManagementPolicy:  appsv1.ParallelPodManagement,
			Selector:             &metav1.LabelSelector{MatchLabels: labels},
			Template:             podTemplate(c, component, labels, image),
			VolumeClaimTemplates: claims(component, labels),
		},
	}
}

// podTemplate passes Pod Security "restricted", so that the stand's namespaces may enforce it.
func podTemplate(
	c *cluster, component *component, labels map[string]string, image string,
) corev1.PodTemplateSpec {
	if image == "" {
		image = "example.com/postgresql:" + c.Spec.ClusterVersionRef
	}
	return corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: labels},
		Spec: corev1.PodSpec{
			ServiceAccountName: component.ServiceAccountName,
			SecurityContext: &corev1.PodSecurityContext{
				RunAsNonRoot:   ptr(true),
				RunAsUser:      ptr(int64(999)),
				FSGroup:        ptr(int64(999)),
				SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
			},
			Containers: []corev1.Container{{
				Name:         component.Name,
				Image:        image,
				Env:          []corev1.EnvVar{passwordVariable(c)},
				Resources:    component.Resources,
				VolumeMounts: mounts(component),
				Ports: []corev1.ContainerPort{{
					Name: "tcp-postgresql", ContainerPort: port,
				}},
				ReadinessProbe: accepts(port),
				SecurityContext: &corev1.SecurityContext{
					AllowPrivilegeEscalation: ptr(false),
					Capabilities:             &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
				},
			}},
		},
	}
}

// passwordVariable is for an image that runs a database, such as the one of runtime/.
func passwordVariable(c *cluster) corev1.EnvVar {
	return corev1.EnvVar{
		Name: "POSTGRES_PASSWORD",
		ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
			LocalObjectReference: corev1.LocalObjectReference{Name: credentialsName(c)},
			Key:                  "password",
		}},
	}
}

func accepts(port int) *corev1.Probe {
	return &corev1.Probe{
		PeriodSeconds: 1,
		ProbeHandler: corev1.ProbeHandler{
			TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromInt32(int32(port))},
		},
	}
}

func claims(component *component, labels map[string]string) []corev1.PersistentVolumeClaim {
	var claims []corev1.PersistentVolumeClaim
	for _, template := range component.VolumeClaimTemplates {
		claims = append(claims, corev1.PersistentVolumeClaim{
			ObjectMeta: metav1.ObjectMeta{Name: template.Name, Labels: labels},
			Spec:       template.Spec,
		})
	}
	return claims
}

func mounts(component *component) []corev1.VolumeMount {
	var mounts []corev1.VolumeMount
	for _, template := range component.VolumeClaimTemplates {
		mounts = append(mounts, corev1.VolumeMount{
			Name: template.Name, MountPath: "/home/postgres/" + template.Name,
		})
	}
	return mounts
}

func ptr[T any](value T) *T {
	return &value
}
