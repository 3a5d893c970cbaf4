// judge asks Argo CD itself about artifacts, without a cluster: it runs the service of
// the repo-server in this process. It reads one question a line from its input and writes
// one answer a line, both JSON. The certificates that are trusted lie in the directory
// $ARGOCD_TLS_DATA_PATH, named by host, as in a repo-server.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/sirupsen/logrus"
	"google.golang.org/grpc/status"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	"github.com/argoproj/argo-cd/v3/reposerver/apiclient"
	"github.com/argoproj/argo-cd/v3/reposerver/cache"
	"github.com/argoproj/argo-cd/v3/reposerver/metrics"
	"github.com/argoproj/argo-cd/v3/reposerver/repository"
	cacheutil "github.com/argoproj/argo-cd/v3/util/cache"
	"github.com/argoproj/argo-cd/v3/util/git"
	grpcutil "github.com/argoproj/argo-cd/v3/util/grpc"
)

type question struct {
	ID        string `json:"id"`
	RepoURL   string `json:"repoURL"`
	Revision  string `json:"revision"`
	Path      string `json:"path"`
	Recurse   bool   `json:"recurse"`
	Include   string `json:"include"`
	Exclude   string `json:"exclude"`
	Username  string `json:"username"`
	Password  string `json:"password"`
	Insecure  bool   `json:"insecure"`
	PlainHTTP bool   `json:"plainHttp"`
}

type object struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Namespace  string `json:"namespace,omitempty"`
	Name       string `json:"name"`
}

type answer struct {
	ID         string   `json:"id"`
	Digest     string   `json:"digest,omitempty"`
	SourceType string   `json:"sourceType,omitempty"`
	Objects    []object `json:"objects,omitempty"`
	// As it stands in the condition, after "Failed to load target state: ".
	Error string `json:"error,omitempty"`
}

// What argocd-repo-server has where no flag is given.
var defaults = repository.RepoServerInitConstants{
	OCIMediaTypes: []string{
		"application/vnd.oci.image.layer.v1.tar",
		"application/vnd.oci.image.layer.v1.tar+gzip",
		"application/vnd.cncf.helm.chart.content.v1.tar+gzip",
	},
	MaxCombinedDirectoryManifestsSize: resource.MustParse("10M"),
	OCIManifestMaxExtractedSize:       1_000_000_000,
	HelmManifestMaxExtractedSize:      1_000_000_000,
	StreamedManifestMaxExtractedSize:  1_000_000_000,
	StreamedManifestMaxTarSize:        100_000_000,
}

const parallel = 4

func main() {
	logrus.SetOutput(io.Discard)
	scratch, err := os.MkdirTemp("", "judge-")
	exitOn(err)
	defer os.RemoveAll(scratch)
	exitOn(os.Setenv("TMPDIR", scratch))
	store := cache.NewCache(cacheutil.NewCache(cacheutil.NewInMemoryCache(time.Hour)), time.Hour, time.Hour, time.Minute)
	service := repository.NewService(metrics.NewMetricsServer(), store, defaults, git.NoopCredsStore{}, filepath.Join(scratch, "_argocd-repo"))
	exitOn(service.Init())

	questions := make(chan question)
	answers := make(chan answer)
	var workers sync.WaitGroup
	for range parallel {
		workers.Go(func() {
			for each := range questions {
				answers <- judge(service, each)
			}
		})
	}
	go func() {
		input := json.NewDecoder(bufio.NewReader(os.Stdin))
		for {
			var each question
			if err := input.Decode(&each); err == io.EOF {
				break
			} else {
				exitOn(err)
			}
			questions <- each
		}
		close(questions)
		workers.Wait()
		close(answers)
	}()
	output := json.NewEncoder(os.Stdout)
	for each := range answers {
		exitOn(output.Encode(each))
	}
}

func judge(service *repository.Service, asked question) answer {
	response, err := generate(service, asked)
	if err != nil {
		return answer{ID: asked.ID, Error: "failed to generate manifest for source 1 of 1: " + status.Convert(err).Err().Error()}
	}
	result := answer{ID: asked.ID, Digest: response.Revision, SourceType: response.SourceType}
	for _, manifest := range response.Manifests {
		// The controller does so with what it is sent.
		decoded, err := v1alpha1.UnmarshalToUnstructured(manifest)
		if err != nil {
			return answer{ID: asked.ID, Error: fmt.Sprintf("failed to unmarshal manifests for source 1 of 1: %s", err)}
		}
		result.Objects = append(result.Objects, object{decoded.GetAPIVersion(), decoded.GetKind(), decoded.GetNamespace(), decoded.GetName()})
	}
	return result
}

func generate(service *repository.Service, asked question) (*apiclient.ManifestResponse, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	source := v1alpha1.ApplicationSource{RepoURL: asked.RepoURL, TargetRevision: asked.Revision, Path: asked.Path}
	if asked.Recurse || asked.Include != "" || asked.Exclude != "" {
		source.Directory = &v1alpha1.ApplicationSourceDirectory{Recurse: asked.Recurse, Include: asked.Include, Exclude: asked.Exclude}
	}
	request := &apiclient.ManifestRequest{
		Repo: &v1alpha1.Repository{
			Repo: asked.RepoURL, Type: "oci", Username: asked.Username, Password: asked.Password,
			Insecure: asked.Insecure, InsecureOCIForceHttp: asked.PlainHTTP,
		},
		Revision: asked.Revision, AppName: asked.ID, Namespace: "judge", ApplicationSource: &source,
		// Every object is marked with them, also one that is none.
		AppLabelKey: "app.kubernetes.io/instance", TrackingMethod: string(v1alpha1.TrackingMethodAnnotation),
		KubeVersion: "v1.37.2", ProjectName: "default", ProjectSourceRepos: []string{"*"},
	}
	answered, err := grpcutil.ErrorSanitizerUnaryServerInterceptor()(ctx, request, nil, func(ctx context.Context, _ any) (any, error) {
		return service.GenerateManifest(ctx, request)
	})
	if err != nil {
		return nil, err
	}
	return answered.(*apiclient.ManifestResponse), nil
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "judge:", err)
		os.Exit(1)
	}
}
