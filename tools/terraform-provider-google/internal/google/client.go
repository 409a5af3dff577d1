package google

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

const (
	firstRetry  = 500 * time.Millisecond
	longestWait = 30 * time.Second
	callTimeout = 20 * time.Minute // of an object's create, read, update or delete, when `timeouts` says nothing
)

// A client is the configured provider.
type client struct {
	http           *http.Client
	endpoints      map[string]string
	token          string
	project        string
	quotaProject   string
	deletionPolicy string
	defaultLabels  object
	attribute      bool
	pollInterval   time.Duration
	policies       sync.Map // of *sync.Mutex: one writer per IAM policy, as it is read, changed and written
}

func (c *client) lock(policy string) func() {
	held, _ := c.policies.LoadOrStore(policy, &sync.Mutex{})
	held.(*sync.Mutex).Lock()
	return held.(*sync.Mutex).Unlock
}

// send makes one call of the API and repeats it while the answer says that it may yet succeed.
func (c *client) send(ctx context.Context, method, address string, query map[string]string, body any) (object, error) {
	for wait := firstRetry; ; wait = min(2*wait, longestWait) {
		answer, err := c.once(ctx, method, address, query, body)
		if err == nil || !retryable(err) {
			return answer, err
		}
		if pause(ctx, wait) != nil {
			return nil, err
		}
	}
}

func (c *client) once(ctx context.Context, method, address string, query map[string]string, body any) (object, error) {
	request, err := c.request(ctx, method, address, query, body)
	if err != nil {
		return nil, err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if response.StatusCode >= http.StatusMultipleChoices {
		return nil, refused(response.StatusCode, content)
	}
	answer := object{}
	if len(content) > 0 {
		err = json.Unmarshal(content, &answer)
	}
	return answer, err
}

func (c *client) request(ctx context.Context, method, address string, query map[string]string, body any) (*http.Request, error) {
	var content io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		content = bytes.NewReader(encoded)
	}
	values := url.Values{"alt": {"json"}}
	for name, value := range query {
		values.Set(name, value)
	}
	request, err := http.NewRequestWithContext(ctx, method, address+"?"+values.Encode(), content)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "firelift-sandbox-provider")
	if c.token != "" {
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	if c.quotaProject != "" {
		request.Header.Set("X-Goog-User-Project", c.quotaProject)
	}
	return request, nil
}

func pause(ctx context.Context, duration time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(duration):
		return nil
	}
}

// address is below the endpoint of the resource's API.
func (c *call) address(path string) (string, error) {
	base, err := c.endpoint(c.r.api)
	return base + c.r.path + path, err
}

func (c *call) do(method, path string, query map[string]string, body any) (object, error) {
	address, err := c.address(path)
	if err != nil {
		return nil, err
	}
	return c.send(c, method, address, query, body)
}

// filled replaces {attribute} by its value, and {%attribute} by its value with slashes escaped.
func filled(template string, state object) string {
	var result strings.Builder
	for rest := template; ; {
		start := strings.IndexByte(rest, '{')
		if start < 0 {
			result.WriteString(rest)
			return result.String()
		}
		end := start + strings.IndexByte(rest[start:], '}')
		name := rest[start+1 : end]
		value := text(state[strings.Trim(name, "%+")])
		if strings.HasPrefix(name, "%") {
			value = url.PathEscape(value)
		}
		result.WriteString(rest[:start] + value)
		rest = rest[end+1:]
	}
}
