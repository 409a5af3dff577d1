package google

import "strings"

var rulesResources = map[string]*resource{
	"google_firebaserules_ruleset": {
		label: "Ruleset", api: "rules", answerNames: true,
		collection: "projects/{project}/rulesets",
		self:       "projects/{project}/rulesets/{name}", id: "projects/{project}/rulesets/{name}",
		imports: []string{"projects/{project}/rulesets/{name}", "{project}/{name}", "{name}"},
		settle:  shortName,
		fields:  map[string]field{"name": {flatten: lastSegment}},
	},
	"google_firebaserules_release": {
		label: "Release", api: "rules",
		collection: "projects/{project}/releases",
		self:       "projects/{project}/releases/{name}", id: "projects/{project}/releases/{name}",
		imports: []string{"projects/{project}/releases/{+name}", "{+name}"},
		fields: map[string]field{
			"name":         {expand: releaseName, flatten: releaseShort},
			"ruleset_name": {expand: rulesetName, same: sameName},
		},
	},
}

func releaseName(c *call, name any) any {
	return "projects/" + text(c.planned["project"]) + "/releases/" + text(name)
}

func releaseShort(_ *call, answered, _ any) any {
	_, name, _ := strings.Cut(text(answered), "/releases/")
	return name
}

func rulesetName(c *call, name any) any {
	return "projects/" + text(c.planned["project"]) + "/rulesets/" + text(lastSegment(c, name, nil))
}

// sameName: a short name and a full one are the same ruleset.
func sameName(prior, planned any) bool {
	return text(prior) != "" && lastSegment(nil, prior, nil) == lastSegment(nil, planned, nil)
}
