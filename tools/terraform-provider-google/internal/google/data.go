package google

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-go/tfprotov5"
)

// A data source reads what a resource manages: all of it is computed, but for the attributes that find it.
var dataSources = map[string]*resourceSchema{
	"google_project": sourced("google_project", "project_id"),
}

func sourced(name string, finders ...string) *resourceSchema {
	b := &block{Attributes: map[string]*attribute{}}
	for attributeName, a := range schemas[name].Block.Attributes {
		b.Attributes[attributeName] = &attribute{Type: a.Type, parsed: a.parsed, Computed: true, Sensitive: a.Sensitive}
	}
	for _, finder := range finders {
		b.Attributes[finder].Optional, b.Attributes[finder].Computed = true, false
	}
	b.Attributes["id"].Optional = true
	return &resourceSchema{Block: b}
}

func (s *Server) ValidateDataSourceConfig(context.Context, *tfprotov5.ValidateDataSourceConfigRequest) (*tfprotov5.ValidateDataSourceConfigResponse, error) {
	return &tfprotov5.ValidateDataSourceConfigResponse{}, nil
}

func (s *Server) ReadDataSource(ctx context.Context, r *tfprotov5.ReadDataSourceRequest) (*tfprotov5.ReadDataSourceResponse, error) {
	state, err := s.sourcedState(ctx, r)
	if err != nil {
		return &tfprotov5.ReadDataSourceResponse{Diagnostics: diagnosed(err)}, nil
	}
	encoded, err := dataSources[r.TypeName].Block.encode(state)
	return &tfprotov5.ReadDataSourceResponse{State: encoded, Diagnostics: diagnosed(err)}, nil
}

func (s *Server) sourcedState(ctx context.Context, r *tfprotov5.ReadDataSourceRequest) (object, error) {
	c, err := s.call(ctx, r.TypeName, nil, nil, nil)
	if err != nil {
		return nil, err
	}
	config, err := dataSources[r.TypeName].Block.decode(r.Config)
	if err != nil {
		return nil, err
	}
	id := orElse(text(config["project_id"]), c.project)
	if id == "" {
		return nil, fmt.Errorf("no project value set. `project_id` must be set at the resource level, or a default `project` value must be specified on the provider")
	}
	defer c.bounded("read")()
	state, err := c.readObject(object{"project_id": id, "id": "projects/" + id})
	if err == nil && state == nil {
		err = fmt.Errorf("project %s not found or not in ACTIVE state", id)
	}
	if err == nil { // a data source shows every label, whoever has put it there
		state["labels"], state["terraform_labels"] = state["effective_labels"], state["effective_labels"]
	}
	return state, err
}
