package google

import (
	"fmt"
	"strings"
)

var accountResources = map[string]*resource{
	"google_service_account": {
		label: "service account", api: "iam",
		collection: "projects/{project}/serviceAccounts", self: "{name}", id: "{name}",
		imports:   []string{"projects/{project}/serviceAccounts/{email}", "{project}/{email}", "{email}"},
		updatable: []string{"display_name", "description", "disabled"},
		located:   []string{"account_id"},
		client:    []string{"create_ignore_already_exists", "member"},
		fields:    map[string]field{"disabled": {standard: false}},
		plan:      planAccount, create: createAccount, update: updateAccount, settle: settleAccount,
	},
	"google_project_iam_custom_role": {
		label: "the custom project role", api: "iam", answerNames: true,
		collection: "projects/{project}/roles", self: "projects/{project}/roles/{role_id}",
		id:        "projects/{project}/roles/{role_id}",
		imports:   []string{"projects/{project}/roles/{role_id}", "{project}/{role_id}", "{role_id}"},
		updatable: []string{"title", "description", "permissions", "stage"},
		located:   []string{"role_id"},
		fields: map[string]field{
			"stage": {standard: "GA"}, "permissions": {api: "includedPermissions"},
		},
		create: createRole, read: readRole,
	},
}

// The address of an account follows from its id and project, so that others can be planned with it.
func planAccount(c *call, planned object) {
	if c.prior != nil && len(c.replaced(planned)) == 0 {
		return
	}
	account, project := text(planned["account_id"]), text(planned["project"])
	if account == "" || project == "" {
		return
	}
	email := account + "@" + project + ".iam.gserviceaccount.com"
	planned["email"], planned["member"] = email, "serviceAccount:"+email
	planned["name"] = "projects/" + project + "/serviceAccounts/" + email
	planned["id"] = planned["name"]
}

func createAccount(c *call, state object) (object, error) {
	account := object{}
	for _, name := range []string{"display_name", "description"} {
		if !empty(state[name]) {
			account[camel(name)] = state[name]
		}
	}
	body := object{"accountId": state["account_id"], "serviceAccount": account}
	answer, err := c.do("POST", filled(c.r.collection, state), nil, body)
	switch {
	case hasCode(err, 409) && truth(state["create_ignore_already_exists"]):
	case err != nil:
		return nil, fmt.Errorf("Error creating service account: %w", err)
	default:
		state["name"] = answer["name"]
	}
	state["id"] = state["name"]
	if truth(state["disabled"]) {
		if _, err := c.do("POST", text(state["name"])+":disable", nil, object{}); err != nil {
			return state, fmt.Errorf("Error disabling service account: %w", err)
		}
	}
	return c.afterwards(state)
}

func updateAccount(c *call, state object) (object, error) {
	var mask []string
	account := object{"email": state["email"]}
	for _, name := range []string{"display_name", "description"} {
		if !c.unchanged(name, c.planned[name]) {
			mask = append(mask, name)
			account[camel(name)] = state[name]
		}
	}
	if len(mask) > 0 {
		if _, err := c.do("PATCH", text(state["name"]), nil, object{"serviceAccount": account, "updateMask": strings.Join(mask, ",")}); err != nil {
			return c.prior, fmt.Errorf("Error updating service account %q: %w", text(state["id"]), err)
		}
	}
	if !c.unchanged("disabled", c.planned["disabled"]) {
		verb := ":enable"
		if truth(c.planned["disabled"]) {
			verb = ":disable"
		}
		if _, err := c.do("POST", text(state["name"])+verb, nil, object{}); err != nil {
			return c.prior, fmt.Errorf("Error changing service account %q: %w", text(state["id"]), err)
		}
	}
	return c.afterwards(state)
}

func settleAccount(_ *call, state object) {
	email := text(state["email"])
	if email == "" {
		return
	}
	state["member"] = "serviceAccount:" + email
	if state["account_id"] == nil {
		state["account_id"], _, _ = strings.Cut(email, "@")
	}
}

// createRole: a role that was deleted keeps its name for a while, and is brought back.
func createRole(c *call, state object) (object, error) {
	body := c.expand(c.planned)
	existing, err := c.do("GET", filled(c.r.self, state), nil, nil)
	switch {
	case hasCode(err, 404):
		_, err = c.do("POST", filled(c.r.collection, state), nil, object{"roleId": state["role_id"], "role": body})
	case err == nil && truth(existing["deleted"]):
		if _, err = c.do("POST", filled(c.r.self, state)+":undelete", nil, object{}); err == nil {
			_, err = c.do("PATCH", filled(c.r.self, state), map[string]string{"updateMask": "title,description,includedPermissions,stage"}, body)
		}
	case err == nil:
		err = fmt.Errorf("Custom project role %s already exists and must be imported", filled(c.r.self, state))
	}
	if err != nil {
		return nil, fmt.Errorf("Error creating the custom project role %s: %w", filled(c.r.self, state), err)
	}
	state["id"] = filled(c.r.id, state)
	return c.afterwards(state)
}

func readRole(c *call, state object) (object, error) {
	answer, err := c.do("GET", filled(c.r.self, state), nil, nil)
	if hasCode(err, 404) || truth(answer["deleted"]) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("Error when reading or editing %s: %w", filled(c.r.self, state), err)
	}
	return c.state(answer, state), nil
}
