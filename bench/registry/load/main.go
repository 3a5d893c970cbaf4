// Asks a registry as fast as it answers, and says in one line of JSON how fast that was. It speaks HTTP over
// connections of its own, because it shares the machine with what it measures and must cost little, and
// because few such programs can do HEAD.
//
//	load -address HOST:PORT [-ca FILE] [-clients N] [-seconds S] [-method M] [-fresh] -path P [-of N [-step N]]
//	load -address HOST:PORT [-clients N] [-seconds S] -push REPOSITORY
//	load -address HOST:PORT [-clients N] -tag REPOSITORY -of N
package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

var (
	address = flag.String("address", "", "HOST:PORT")
	ca      = flag.String("ca", "", "PEM file; with it the connections are TLS")
	clients = flag.Int("clients", 16, "how many ask at once")
	seconds = flag.Float64("seconds", 2, "for how long")
	method  = flag.String("method", "GET", "")
	fresh   = flag.Bool("fresh", false, "a new connection for each request, and a full handshake")
	path    = flag.String("path", "", "what to ask for; %d is a number that changes from request to request")
	of      = flag.Int("of", 1, "how many such numbers there are, from 0")
	step    = flag.Int("step", 1, "from one number to the next")
	push    = flag.String("push", "", "repository to push images to, each with a tag of its own")
	tag     = flag.String("tag", "", "repository that gets so many tags, all of one image")
)

const accept = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, */*"

var roots *x509.CertPool

// A client with one connection, which is opened again where the server closed it.
type client struct {
	connection net.Conn
	reader     *bufio.Reader
	scratch    []byte
}

func (c *client) open() error {
	connection, err := net.Dial("tcp", *address)
	if err != nil {
		return err
	}
	if roots != nil {
		host, _, _ := net.SplitHostPort(*address)
		secure := tls.Client(connection, &tls.Config{RootCAs: roots, ServerName: host})
		if err := secure.Handshake(); err != nil {
			connection.Close()
			return err
		}
		connection = secure
	}
	c.connection = connection
	if c.reader == nil {
		c.reader = bufio.NewReaderSize(connection, 64<<10)
		c.scratch = make([]byte, 256<<10)
	}
	c.reader.Reset(connection)
	return nil
}

func (c *client) close() {
	if c.connection != nil {
		c.connection.Close()
	}
	c.connection = nil
}

// Sends a request and throws the body away. Returns the status, the location and the number of bytes.
func (c *client) ask(method, target, headers string, body []byte) (int, string, int64, error) {
	if c.connection == nil {
		if err := c.open(); err != nil {
			return 0, "", 0, err
		}
	}
	request := make([]byte, 0, 512+len(body))
	request = fmt.Appendf(request, "%s %s HTTP/1.1\r\nHost: %s\r\nAccept: %s\r\n%s", method, target, *address, accept, headers)
	if method != "GET" && method != "HEAD" {
		request = fmt.Appendf(request, "Content-Length: %d\r\n", len(body))
	}
	request = append(append(request, "\r\n"...), body...)
	return c.exchange(request, &http.Request{Method: method})
}

func (c *client) exchange(request []byte, shape *http.Request) (int, string, int64, error) {
	if _, err := c.connection.Write(request); err != nil {
		c.close()
		return 0, "", 0, err
	}
	response, err := http.ReadResponse(c.reader, shape)
	if err != nil {
		c.close()
		return 0, "", 0, err
	}
	var size int64
	for {
		count, err := response.Body.Read(c.scratch)
		size += int64(count)
		if err == io.EOF {
			break
		}
		if err != nil {
			c.close()
			return 0, "", size, err
		}
	}
	if response.Close {
		c.close()
	}
	return response.StatusCode, response.Header.Get("Location"), size, nil
}

// The part of a URL after the host: registries answer with either form.
func pathOf(location string) string {
	if scheme := strings.Index(location, "://"); scheme >= 0 {
		rest := location[scheme+3:]
		return rest[strings.Index(rest, "/"):]
	}
	return location
}

type result struct {
	Requests int64   `json:"requests"`
	Errors   int64   `json:"errors"`
	Fault    string  `json:"fault,omitempty"`
	Bytes    int64   `json:"bytes"`
	Seconds  float64 `json:"seconds"`
	P50      float64 `json:"p50"`
	P99      float64 `json:"p99"`
	// Of this process, in seconds.
	CPU float64 `json:"cpu"`
}

// Lets every client do its work over and over until the time is up, or `limit` times in all.
func measure(limit int64, work func(c *client, number int64) (int64, error)) result {
	var next, failures, bytes atomic.Int64
	var fault atomic.Value
	latencies := make([][]time.Duration, *clients)
	started := time.Now()
	end := started.Add(time.Duration(*seconds * float64(time.Second)))
	var group sync.WaitGroup
	for index := range latencies {
		group.Add(1)
		go func(index int) {
			defer group.Done()
			c := &client{}
			defer c.close()
			for {
				number := next.Add(1) - 1
				if (limit > 0 && number >= limit) || (limit == 0 && time.Now().After(end)) {
					return
				}
				before := time.Now()
				size, err := work(c, number)
				bytes.Add(size)
				if err != nil {
					fault.CompareAndSwap(nil, err.Error())
					if failures.Add(1) > 1000 {
						return
					}
					continue
				}
				latencies[index] = append(latencies[index], time.Since(before))
			}
		}(index)
	}
	group.Wait()
	took := time.Since(started).Seconds()
	all := []time.Duration{}
	for _, each := range latencies {
		all = append(all, each...)
	}
	sort.Slice(all, func(a, b int) bool { return all[a] < all[b] })
	at := func(share float64) float64 {
		if len(all) == 0 {
			return 0
		}
		return float64(all[int(share*float64(len(all)-1))].Microseconds()) / 1000
	}
	said, _ := fault.Load().(string)
	return result{Requests: int64(len(all)), Errors: failures.Load(), Fault: said, Bytes: bytes.Load(),
		Seconds: took, P50: at(0.5), P99: at(0.99), CPU: cpuSeconds()}
}

func cpuSeconds() float64 {
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return float64(usage.Utime.Sec+usage.Stime.Sec) + float64(usage.Utime.Usec+usage.Stime.Usec)/1e6
}

func reads() result {
	shape := &http.Request{Method: *method}
	requests := make([][]byte, 0, *of)
	for number := 0; number < *of; number += *step {
		target := *path
		if strings.Contains(target, "%") {
			target = fmt.Sprintf(target, number)
		}
		closing := ""
		if *fresh {
			closing = "Connection: close\r\n"
		}
		requests = append(requests, []byte(fmt.Sprintf("%s %s HTTP/1.1\r\nHost: %s\r\nAccept: %s\r\n%s\r\n",
			*method, target, *address, accept, closing)))
	}
	return measure(0, func(c *client, number int64) (int64, error) {
		if *fresh {
			c.close()
		}
		if c.connection == nil {
			if err := c.open(); err != nil {
				return 0, err
			}
		}
		// A prime, so that neighbours are not asked for one after the other.
		status, _, size, err := c.exchange(requests[number*7919%int64(len(requests))], shape)
		if err == nil && status != 200 {
			err = fmt.Errorf("status %d", status)
		}
		return size, err
	})
}

func main() {
	flag.Parse()
	if *ca != "" {
		pem, err := os.ReadFile(*ca)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		roots = x509.NewCertPool()
		roots.AppendCertsFromPEM(pem)
	}
	var outcome result
	switch {
	case *push != "":
		outcome = pushes(*push)
	case *tag != "":
		outcome = tags(*tag)
	default:
		outcome = reads()
	}
	_ = json.NewEncoder(os.Stdout).Encode(outcome)
}
