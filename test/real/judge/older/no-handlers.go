//go:build !handlers

package main

import "github.com/argoproj/argo-cd/v3/util/oci"

func handlers() []oci.ClientOpts { return nil }
