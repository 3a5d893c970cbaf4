// judge-older asks the OCI client of an older Argo CD about artifacts: whether it resolves
// and extracts them, and what it says. What is rendered is not looked at. It reads one
// question a line from its input and writes one answer a line, both JSON.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/sirupsen/logrus"

	utilio "github.com/argoproj/argo-cd/v3/util/io"
	"github.com/argoproj/argo-cd/v3/util/oci"
)

type question struct {
	ID       string `json:"id"`
	RepoURL  string `json:"repoURL"`
	Revision string `json:"revision"`
	CA       string `json:"ca"`
	Username string `json:"username"`
	Password string `json:"password"`
}

type answer struct {
	ID     string `json:"id"`
	Digest string `json:"digest,omitempty"`
	// What was extracted: regular files, and symlinks with where they lead.
	Files []string          `json:"files,omitempty"`
	Links map[string]string `json:"links,omitempty"`
	// In the words that the repo-server puts around those of the client.
	Error string `json:"error,omitempty"`
}

// What --oci-layer-media-types has in every version.
var mediaTypes = []string{
	"application/vnd.oci.image.layer.v1.tar",
	"application/vnd.oci.image.layer.v1.tar+gzip",
	"application/vnd.cncf.helm.chart.content.v1.tar+gzip",
}

const (
	parallel = 4
	// --oci-manifest-max-extracted-size
	maxExtracted = 1_000_000_000
)

func main() {
	logrus.SetOutput(io.Discard)
	scratch, err := os.MkdirTemp("", "judge-")
	exitOn(err)
	defer os.RemoveAll(scratch)
	exitOn(os.Setenv("TMPDIR", scratch))
	paths := utilio.NewRandomizedTempPaths(scratch)

	questions := make(chan question)
	answers := make(chan answer)
	var workers sync.WaitGroup
	for range parallel {
		workers.Go(func() {
			for each := range questions {
				answers <- judge(paths, each)
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

func judge(paths utilio.TempPaths, asked question) answer {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	refused := func(format string, values ...any) answer {
		return answer{ID: asked.ID, Error: fmt.Sprintf(format, values...)}
	}
	options := append([]oci.ClientOpts{oci.WithImagePaths(paths), oci.WithManifestMaxExtractedSize(maxExtracted)}, handlers()...)
	creds := oci.Creds{CAPath: asked.CA, Username: asked.Username, Password: asked.Password}
	client, err := oci.NewClient(asked.RepoURL, creds, "", "", mediaTypes, options...)
	if err != nil {
		return refused("failed to initialize oci client: %s", err)
	}
	digest, err := client.ResolveRevision(ctx, asked.Revision, true)
	if err != nil {
		return refused("failed to resolve revision %q: %s", asked.Revision, err)
	}
	root, closer, err := client.Extract(ctx, digest)
	if err != nil {
		return refused("%s", err)
	}
	defer closer.Close()
	result := answer{ID: asked.ID, Digest: digest, Links: map[string]string{}}
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if entry.Type()&fs.ModeSymlink == 0 {
			result.Files = append(result.Files, name)
			return nil
		}
		result.Links[name], err = os.Readlink(path)
		return err
	})
	if err != nil {
		return refused("%s", err)
	}
	return result
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "judge:", err)
		os.Exit(1)
	}
}
