package google

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
)

var monitoringResources = map[string]*resource{
	"google_monitoring_alert_policy": {
		label: "AlertPolicy", api: "monitoring", path: "v3/", answerNames: true,
		collection: "projects/{project}/alertPolicies", self: "{name}", id: "{name}",
		imports: []string{"projects/{project}/alertPolicies/{policy}"},
		updatable: []string{
			"display_name", "combiner", "enabled", "conditions", "notification_channels", "alert_strategy",
			"user_labels", "severity", "documentation",
		},
		fields: map[string]field{
			"enabled":                 {standard: true, zero: true},
			"combiner":                {oneOf: []string{"AND", "OR", "AND_WITH_MATCHING_RESOURCE"}},
			"severity":                {oneOf: []string{"CRITICAL", "ERROR", "WARNING"}},
			"documentation.mime_type": {standard: "text/markdown"},
			"conditions.name":         {expand: asPlanned},
			"conditions.condition_threshold.comparison": {oneOf: []string{
				"COMPARISON_GT", "COMPARISON_GE", "COMPARISON_LT", "COMPARISON_LE", "COMPARISON_EQ", "COMPARISON_NE",
			}},
		},
	},
	"google_monitoring_notification_channel": {
		label: "NotificationChannel", api: "monitoring", path: "v3/", answerNames: true, unmasked: true,
		collection: "projects/{project}/notificationChannels", self: "{name}", id: "{name}",
		imports:   []string{"projects/{project}/notificationChannels/{channel}"},
		updatable: []string{"type", "display_name", "description", "labels", "enabled", "user_labels", "sensitive_labels"},
		client:    []string{"force_delete", "sensitive_labels"},
		fields: map[string]field{
			"enabled":      {standard: true, zero: true},
			"force_delete": {standard: false},
			"labels":       {flatten: withoutSecrets},
		},
		body: withSecrets, remove: deleteChannel,
	},
	"google_monitoring_dashboard": {
		label: "Dashboard", api: "monitoring", path: "v1/", answerNames: true, unmasked: true, named: "id",
		collection: "projects/{project}/dashboards", self: "{id}", id: "{id}",
		imports:   []string{"projects/{project}/dashboards/{dashboard}"},
		updatable: []string{"dashboard_json"},
		fields:    map[string]field{"dashboard_json": {same: sameDashboard}},
		create:    createDashboard, read: readDashboard, update: updateDashboard,
	},
	"google_logging_metric": {
		label: "Metric", api: "logging", updateMethod: "PUT", unmasked: true,
		collection: "projects/{project}/metrics", self: "projects/{project}/metrics/{%name}", id: "{name}",
		imports: []string{"projects/{project}/metrics/{+name}", "{+name}"},
		updatable: []string{
			"description", "bucket_name", "disabled", "filter", "metric_descriptor", "label_extractors",
			"value_extractor", "bucket_options",
		},
		fields: map[string]field{
			"metric_descriptor":                   {whole: true},
			"metric_descriptor.unit":              {standard: "1"},
			"metric_descriptor.labels.value_type": {standard: "STRING"},
			"metric_descriptor.metric_kind":       {oneOf: []string{"DELTA", "GAUGE", "CUMULATIVE"}},
			"metric_descriptor.value_type":        {oneOf: []string{"BOOL", "INT64", "DOUBLE", "STRING", "DISTRIBUTION", "MONEY"}},
		},
	},
	"google_billing_budget": {
		label: "Budget", api: "budgets", answerNames: true,
		collection: "billingAccounts/{billing_account}/budgets",
		self:       "billingAccounts/{billing_account}/budgets/{name}", id: "billingAccounts/{billing_account}/budgets/{name}",
		imports:   []string{"billingAccounts/{billing_account}/budgets/{name}", "{billing_account}/{name}"},
		located:   []string{"billing_account"},
		updatable: []string{"display_name", "budget_filter", "amount", "threshold_rules", "all_updates_rule", "ownership_scope"},
		settle:    shortName,
		fields: map[string]field{
			"name":                                 {flatten: lastSegment},
			"budget_filter":                        {whole: true},
			"budget_filter.credit_types_treatment": {standard: "INCLUDE_ALL_CREDITS"},
			"budget_filter.labels":                 {expand: budgetLabels, flatten: flatBudgetLabels},
			"amount.last_period_amount":            {expand: presence, flatten: present},
			"threshold_rules.spend_basis":          {standard: "CURRENT_SPEND", oneOf: []string{"CURRENT_SPEND", "FORECASTED_SPEND"}},
			"all_updates_rule":                     {api: "notificationsRule"},
			"all_updates_rule.schema_version":      {standard: "1.0"},
		},
	},
}

func asPlanned(_ *call, value any) any { return value }

var channelSecrets = []string{"auth_token", "password", "service_key"}

// withSecrets: to the API a channel's secrets are labels like the others; write-only ones are in the configuration alone.
func withSecrets(c *call, body object) {
	labels, _ := body["labels"].(object)
	labels = maps.Clone(labels)
	if labels == nil {
		labels = object{}
	}
	planned, configured := first(c.planned["sensitive_labels"]), first(c.config["sensitive_labels"])
	for _, name := range channelSecrets {
		if value := orElse(text(planned[name]), text(configured[name+"_wo"])); value != "" {
			labels[name] = value
		}
	}
	if len(labels) > 0 {
		body["labels"] = labels
	}
	if c.prior != nil {
		body["name"] = c.prior["name"]
	}
}

func withoutSecrets(_ *call, answered, _ any) any {
	labels, _ := answered.(object)
	result := maps.Clone(labels)
	for _, name := range channelSecrets {
		delete(result, name)
	}
	if len(result) == 0 {
		return nil
	}
	return result
}

func deleteChannel(c *call) error {
	return c.deleteAt(filled(c.r.self, c.prior), map[string]string{"force": fmt.Sprint(truth(c.prior["force_delete"]))})
}

func createDashboard(c *call, state object) (object, error) {
	answer, err := c.do("POST", filled(c.r.collection, state), nil, json.RawMessage(text(state["dashboard_json"])))
	if err != nil {
		return nil, fmt.Errorf("Error creating Dashboard: %w", err)
	}
	state["id"] = answer["name"]
	return c.afterwards(state)
}

func readDashboard(c *call, state object) (object, error) {
	answer, err := c.do("GET", filled(c.r.self, state), nil, nil)
	if hasCode(err, 404) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("Error when reading or editing MonitoringDashboard %q: %w", text(state["id"]), err)
	}
	result := settled(state)
	if answered := canonical(answer); !sameDashboard(answered, state["dashboard_json"]) {
		result["dashboard_json"] = answered
	}
	result["project"] = strings.Split(text(state["id"]), "/")[1]
	result["deletion_policy"] = orElse(text(state["deletion_policy"]), orElse(c.deletionPolicy, "DELETE"))
	return result, nil
}

// updateDashboard sends the etag of now: the plan was made from what was read.
func updateDashboard(c *call, state object) (object, error) {
	current, err := c.do("GET", filled(c.r.self, state), nil, nil)
	body := object{}
	if err == nil {
		err = json.Unmarshal([]byte(text(state["dashboard_json"])), &body)
	}
	if err == nil {
		body["etag"], body["name"] = current["etag"], state["id"]
		_, err = c.do("PATCH", filled(c.r.self, state), nil, body)
	}
	if err != nil {
		return c.prior, fmt.Errorf("Error updating Dashboard %q: %w", text(state["id"]), err)
	}
	return c.afterwards(state)
}

// sameDashboard: what the API adds to a dashboard by itself, at any depth, is no difference.
func sameDashboard(prior, planned any) bool {
	var before, wanted any
	if json.Unmarshal([]byte(text(prior)), &before) != nil || json.Unmarshal([]byte(text(planned)), &wanted) != nil {
		return false
	}
	return canonical(reduced(before, wanted)) == canonical(wanted)
}

// reduced leaves out of a dashboard the keys that the other one does not have.
func reduced(dashboard, other any) any {
	switch typed := dashboard.(type) {
	case object:
		model, _ := other.(object)
		result := object{}
		for name := range model {
			if value, ok := typed[name]; ok {
				result[name] = reduced(value, model[name])
			}
		}
		return result
	case []any:
		model, _ := other.([]any)
		result := []any{}
		for i, item := range typed {
			if i < len(model) {
				item = reduced(item, model[i])
			}
			result = append(result, item)
		}
		return result
	default:
		return dashboard
	}
}

func budgetLabels(_ *call, planned any) any {
	labels, _ := planned.(object)
	result := object{}
	for name, value := range labels {
		result[name] = object{"values": []any{value}}
	}
	return result
}

func flatBudgetLabels(_ *call, answered, _ any) any {
	labels, _ := answered.(object)
	result := object{}
	for name, value := range labels {
		whole, _ := value.(object)
		values, _ := whole["values"].([]any)
		if len(values) > 0 {
			result[name] = values[0]
		}
	}
	return result
}

// To the API a budget of last period's amount is the presence of an empty object.
func presence(_ *call, planned any) any {
	if truth(planned) {
		return object{"present": true}
	}
	return nil
}

func present(_ *call, answered, _ any) any { return answered != nil }
