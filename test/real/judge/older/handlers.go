//go:build handlers

package main

import "github.com/argoproj/argo-cd/v3/util/oci"

// handlers count nothing; from 3.3.0 on the client calls them all.
func handlers() []oci.ClientOpts {
	begin := func(string) func() { return func() {} }
	fail := func(string) func(string) { return func(string) {} }
	return []oci.ClientOpts{oci.WithEventHandlers(oci.EventHandlers{
		OnExtract: begin, OnResolveRevision: begin, OnDigestMetadata: begin, OnTestRepo: begin, OnGetTags: begin,
		OnExtractFail: fail, OnResolveRevisionFail: fail, OnDigestMetadataFail: fail, OnTestRepoFail: begin, OnGetTagsFail: begin,
	})}
}
