package google

import (
	"encoding/base64"
	"fmt"
	"strings"
)

var secretResources = map[string]*resource{
	"google_secret_manager_secret": {
		label: "Secret", api: "secrets",
		collection: "projects/{project}/secrets", query: map[string]string{"secretId": "{secret_id}"},
		self: "projects/{project}/secrets/{secret_id}", id: "projects/{project}/secrets/{secret_id}",
		imports: []string{"projects/{project}/secrets/{secret_id}", "{project}/{secret_id}", "{secret_id}"},
		located: []string{"secret_id", "tags"},
		client:  []string{"deletion_protection", "annotations", "labels", "effective_labels", "effective_annotations", "terraform_labels"},
		updatable: []string{
			"version_aliases", "version_destroy_ttl", "topics", "expire_time", "ttl", "rotation",
		},
		fields: map[string]field{
			"deletion_protection":      {standard: false},
			"replication.auto":         {api: "automatic"},
			"replication.user_managed": {api: "userManaged"},
		},
		remove: deleteSecret,
	},
	"google_secret_manager_secret_version": {
		label: "SecretVersion", api: "secrets",
		self: "{name}", id: "{name}", answerNames: true,
		imports:   []string{"projects/{project}/secrets/{parent}/versions/{version}"},
		located:   []string{"secret", "is_secret_data_base64", "secret_data", "secret_data_wo_version"},
		updatable: []string{"enabled"},
		fields: map[string]field{
			"enabled":               {standard: true},
			"is_secret_data_base64": {standard: false},
		},
		create: createVersion, read: readVersion, update: updateVersion, remove: destroyVersion,
	},
}

func deleteSecret(c *call) error {
	if truth(c.prior["deletion_protection"]) {
		return fmt.Errorf("Cannot destroy secretmanager secret %q without setting deletion_protection=false and running `terraform apply`", text(c.prior["id"]))
	}
	return c.deleteAt(filled(c.r.self, c.prior), nil)
}

// createVersion: the value may stand in the configuration alone, and never reaches plan or state.
func createVersion(c *call, state object) (object, error) {
	value := orElse(text(c.config["secret_data_wo"]), text(c.planned["secret_data"]))
	if !truth(state["is_secret_data_base64"]) {
		value = base64.StdEncoding.EncodeToString([]byte(value))
	}
	secret := text(state["secret"])
	answer, err := c.do("POST", secret+":addVersion", nil, object{"payload": object{"data": value}})
	if err != nil {
		return nil, fmt.Errorf("Error creating SecretVersion: %w", err)
	}
	state["name"], state["id"] = answer["name"], answer["name"]
	return c.setEnabled(state)
}

func (c *call) setEnabled(state object) (object, error) {
	verb := ":disable"
	if state["enabled"] != false {
		verb = ":enable"
	}
	if _, err := c.do("POST", text(state["name"])+verb, nil, nil); err != nil {
		return state, fmt.Errorf("Error updating SecretVersion %q: %w", text(state["id"]), err)
	}
	return c.afterwards(state)
}

func updateVersion(c *call, state object) (object, error) { return c.setEnabled(state) }

func readVersion(c *call, state object) (object, error) {
	answer, err := c.do("GET", text(state["name"]), nil, nil)
	if hasCode(err, 404) || text(answer["state"]) == "DESTROYED" {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("Error when reading or editing SecretManagerSecretVersion %q: %w", text(state["id"]), err)
	}
	answer["enabled"] = text(answer["state"]) == "ENABLED"
	result := c.state(answer, state)
	parts := strings.Split(text(state["name"]), "/")
	result["version"], result["project"] = parts[len(parts)-1], parts[1]
	if result["secret"] == nil {
		result["secret"] = strings.Join(parts[:4], "/")
	}
	if !empty(result["secret_data_wo_version"]) || !truth(answer["enabled"]) {
		return result, nil // a value that is write-only is not read either
	}
	return c.withPayload(result)
}

func (c *call) withPayload(state object) (object, error) {
	answer, err := c.do("GET", text(state["name"])+":access", nil, nil)
	if err != nil {
		return nil, fmt.Errorf("Error accessing Secret Version: %w", err)
	}
	payload, _ := answer["payload"].(object)
	value := text(payload["data"])
	if !truth(state["is_secret_data_base64"]) {
		decoded, err := base64.StdEncoding.DecodeString(value)
		if err != nil {
			return nil, fmt.Errorf("Error accessing Secret Version: %w", err)
		}
		value = string(decoded)
	}
	state["secret_data"] = value
	return state, nil
}

func destroyVersion(c *call) error {
	verb := ":destroy"
	if c.prior["deletion_policy"] == "DISABLE" {
		verb = ":disable"
	}
	if _, err := c.do("POST", text(c.prior["name"])+verb, nil, nil); err != nil && !hasCode(err, 404) {
		return fmt.Errorf("Error when reading or editing SecretVersion: %w", err)
	}
	return nil
}
