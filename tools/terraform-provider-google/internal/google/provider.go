package google

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"
)

const (
	slowestPoll    = 10 * time.Second
	requestTimeout = 2 * time.Minute
)

var providerStrings = []string{
	"access_token", "billing_project", "credentials", "deletion_policy", "iam_custom_endpoint",
	"impersonate_service_account", "poll_interval", "project", "region", "request_reason", "request_timeout",
	"universe_domain", "zone",
}

// The provider's own configuration: what the real one takes and a sandbox may meet.
var providerSchema = func() *resourceSchema {
	b := &block{Attributes: map[string]*attribute{}, Blocks: map[string]*nested{}}
	names := providerStrings
	for _, endpoint := range endpointNames {
		names = append(names, endpoint.argument)
	}
	for _, name := range names {
		b.Attributes[name] = optional(`"string"`)
	}
	b.Attributes["access_token"].Sensitive = true
	b.Attributes["credentials"].Sensitive = true
	for _, name := range []string{"add_terraform_attribution_label", "user_project_override"} {
		b.Attributes[name] = optional(`"bool"`)
	}
	b.Attributes["default_labels"] = optional(`["map","string"]`)
	b.Attributes["scopes"] = optional(`["list","string"]`)
	b.Blocks["batching"] = &nested{Mode: "list", Max: 1, Block: &block{Attributes: map[string]*attribute{
		"enable_batching": optional(`"bool"`), "send_after": optional(`"string"`),
	}}}
	b.parse()
	return &resourceSchema{Block: b}
}()

var providerMeta = func() *resourceSchema {
	b := &block{Attributes: map[string]*attribute{"module_name": optional(`"string"`)}}
	b.parse()
	return &resourceSchema{Block: b}
}()

func optional(kind string) *attribute { return &attribute{Type: json.RawMessage(kind), Optional: true} }

func configured(config object) (*client, error) {
	found, err := endpoints(config)
	if err != nil {
		return nil, err
	}
	interval, err := duration(config["poll_interval"], slowestPoll)
	if err != nil {
		return nil, fmt.Errorf("poll_interval: %w", err)
	}
	timeout, err := duration(config["request_timeout"], requestTimeout)
	if err != nil {
		return nil, fmt.Errorf("request_timeout: %w", err)
	}
	labels, _ := config["default_labels"].(object)
	result := &client{
		http:           &http.Client{Timeout: timeout},
		endpoints:      found,
		token:          token(config),
		project:        setting(config["project"], "GOOGLE_PROJECT", "GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT", "CLOUDSDK_CORE_PROJECT"),
		deletionPolicy: text(config["deletion_policy"]),
		defaultLabels:  labels,
		attribute:      config["add_terraform_attribution_label"] != false,
		pollInterval:   interval,
	}
	if truth(config["user_project_override"]) || os.Getenv("USER_PROJECT_OVERRIDE") == "true" {
		result.quotaProject = orElse(setting(config["billing_project"], "GOOGLE_BILLING_PROJECT"), result.project)
	}
	return result, nil
}

func setting(configured any, variables ...string) string {
	result := text(configured)
	for _, variable := range variables {
		result = orElse(result, os.Getenv(variable))
	}
	return result
}

// An access token may be a path to a file that somebody keeps fresh.
func token(config object) string {
	chosen := setting(config["access_token"], "GOOGLE_OAUTH_ACCESS_TOKEN")
	if content, err := os.ReadFile(chosen); chosen != "" && err == nil {
		return strings.TrimSpace(string(content))
	}
	return chosen
}

func duration(configured any, otherwise time.Duration) (time.Duration, error) {
	if text(configured) == "" {
		return otherwise, nil
	}
	return time.ParseDuration(text(configured))
}
