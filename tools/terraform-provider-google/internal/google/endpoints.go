package google

import (
	"fmt"
	"os"
	"regexp"
)

// Where each API is, by the argument and the environment variable of the real provider.
var endpointNames = map[string]struct{ argument, variable string }{
	"billing":    {"cloud_billing_custom_endpoint", "GOOGLE_CLOUD_BILLING_CUSTOM_ENDPOINT"},
	"budgets":    {"billing_budgets_custom_endpoint", "GOOGLE_BILLING_BUDGETS_CUSTOM_ENDPOINT"},
	"firestore":  {"firestore_custom_endpoint", "GOOGLE_FIRESTORE_CUSTOM_ENDPOINT"},
	"iam":        {"iam_beta_custom_endpoint", "GOOGLE_IAM_BETA_CUSTOM_ENDPOINT"},
	"logging":    {"logging_custom_endpoint", "GOOGLE_LOGGING_CUSTOM_ENDPOINT"},
	"monitoring": {"monitoring_custom_endpoint", "GOOGLE_MONITORING_CUSTOM_ENDPOINT"},
	"projects":   {"resource_manager_custom_endpoint", "GOOGLE_RESOURCE_MANAGER_CUSTOM_ENDPOINT"},
	"rules":      {"firebaserules_custom_endpoint", "GOOGLE_FIREBASERULES_CUSTOM_ENDPOINT"},
	"secrets":    {"secret_manager_custom_endpoint", "GOOGLE_SECRET_MANAGER_CUSTOM_ENDPOINT"},
	"services":   {"service_usage_custom_endpoint", "GOOGLE_SERVICE_USAGE_CUSTOM_ENDPOINT"},
}

var endpointForm = regexp.MustCompile(`.*/[^/]+/$`)

func endpoints(config object) (map[string]string, error) {
	result := map[string]string{}
	for api, names := range endpointNames {
		chosen := orElse(text(config[names.argument]), os.Getenv(names.variable))
		if chosen != "" && !endpointForm.MatchString(chosen) {
			return nil, fmt.Errorf("%s is %q, which is no endpoint: it must end in a version and a slash, as http://127.0.0.1:8080/fs/v1/ does", names.argument, chosen)
		}
		result[api] = chosen
	}
	return result, nil
}

// endpoint never falls back to Google's own: this provider is for the sandbox alone.
func (c *client) endpoint(api string) (string, error) {
	if chosen := c.endpoints[api]; chosen != "" {
		return chosen, nil
	}
	names := endpointNames[api]
	return "", fmt.Errorf(
		"%s is not set (nor %s in the environment), and the sandbox's provider never calls Google itself: name the "+
			"sandbox's stand-in there, or set FIRELIFT_PROVIDER_MIRROR to a mirror with the real hashicorp/google",
		names.argument, names.variable)
}
