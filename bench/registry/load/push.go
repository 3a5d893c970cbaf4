package main

import (
	"crypto/sha256"
	"fmt"
	"math/rand"
	"time"
)

const manifestType = "application/vnd.oci.image.manifest.v1+json"

func digestOf(content []byte) string {
	return fmt.Sprintf("sha256:%x", sha256.Sum256(content))
}

// One blob, as most clients push it: POST, then PUT to where the registry says.
func (c *client) putBlob(repository string, content []byte) error {
	status, location, _, err := c.ask("POST", "/v2/"+repository+"/blobs/uploads/", "", nil)
	if err != nil {
		return err
	}
	if status != 202 {
		return fmt.Errorf("POST of an upload: status %d", status)
	}
	target := pathOf(location)
	separator := "?"
	for _, character := range target {
		if character == '?' {
			separator = "&"
		}
	}
	target += separator + "digest=" + digestOf(content)
	status, _, _, err = c.ask("PUT", target, "Content-Type: application/octet-stream\r\n", content)
	if err == nil && status != 201 {
		err = fmt.Errorf("PUT of a blob: status %d", status)
	}
	return err
}

func (c *client) putManifest(repository, reference string, content []byte) error {
	target := "/v2/" + repository + "/manifests/" + reference
	status, _, _, err := c.ask("PUT", target, "Content-Type: "+manifestType+"\r\n", content)
	if err == nil && status != 201 {
		err = fmt.Errorf("PUT of a manifest: status %d", status)
	}
	return err
}

func manifestOf(config, layer []byte) []byte {
	return []byte(fmt.Sprintf(`{"schemaVersion":2,"mediaType":"%s",`+
		`"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"%s","size":%d},`+
		`"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"%s","size":%d}]}`,
		manifestType, digestOf(config), len(config), digestOf(layer), len(layer)))
}

// Images of two blobs that nobody has pushed yet, each with a tag of its own.
func pushes(repository string) result {
	run := time.Now().UnixNano()
	return measure(0, func(c *client, number int64) (int64, error) {
		random := rand.New(rand.NewSource(run + number))
		config := []byte(fmt.Sprintf(`{"architecture":"amd64","os":"linux","run":%d,"number":%d}`, run, number))
		layer := make([]byte, 4096)
		random.Read(layer)
		for _, blob := range [][]byte{config, layer} {
			if err := c.putBlob(repository, blob); err != nil {
				return 0, err
			}
		}
		return int64(len(layer)), c.putManifest(repository, fmt.Sprintf("t%d-%d", run, number), manifestOf(config, layer))
	})
}

// Tags of one image: `tag-00000` and so on.
func tags(repository string) result {
	config, layer := []byte("{}"), []byte("layer")
	first := &client{}
	for _, blob := range [][]byte{config, layer} {
		if err := first.putBlob(repository, blob); err != nil {
			return result{Errors: 1, Fault: err.Error()}
		}
	}
	first.close()
	manifest := manifestOf(config, layer)
	return measure(int64(*of), func(c *client, number int64) (int64, error) {
		return 0, c.putManifest(repository, fmt.Sprintf("tag-%05d", number), manifest)
	})
}
