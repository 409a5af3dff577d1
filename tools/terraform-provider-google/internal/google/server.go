package google

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tfprotov5"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// Server answers Terraform in version 5 of its protocol, as the real provider does.
type Server struct {
	unsupported
	configuring sync.Mutex
	client      *client
}

// NewServer returns a provider that is not configured yet.
func NewServer() *Server { return &Server{client: &client{}} }

func diagnosed(errs ...error) []*tfprotov5.Diagnostic {
	var result []*tfprotov5.Diagnostic
	for _, err := range errs {
		if err != nil {
			result = append(result, &tfprotov5.Diagnostic{Severity: tfprotov5.DiagnosticSeverityError, Summary: err.Error()})
		}
	}
	return result
}

func (s *Server) GetProviderSchema(context.Context, *tfprotov5.GetProviderSchemaRequest) (*tfprotov5.GetProviderSchemaResponse, error) {
	result := &tfprotov5.GetProviderSchemaResponse{
		Provider: providerSchema.proto(), ProviderMeta: providerMeta.proto(),
		ResourceSchemas: map[string]*tfprotov5.Schema{}, DataSourceSchemas: map[string]*tfprotov5.Schema{},
	}
	for name := range resources {
		result.ResourceSchemas[name] = schemas[name].proto()
	}
	for name, schema := range dataSources {
		result.DataSourceSchemas[name] = schema.proto()
	}
	return result, nil
}

func (s *Server) PrepareProviderConfig(_ context.Context, r *tfprotov5.PrepareProviderConfigRequest) (*tfprotov5.PrepareProviderConfigResponse, error) {
	return &tfprotov5.PrepareProviderConfigResponse{PreparedConfig: r.Config}, nil
}

func (s *Server) ConfigureProvider(_ context.Context, r *tfprotov5.ConfigureProviderRequest) (*tfprotov5.ConfigureProviderResponse, error) {
	config, err := providerSchema.Block.decode(r.Config)
	if err != nil {
		return &tfprotov5.ConfigureProviderResponse{Diagnostics: diagnosed(err)}, nil
	}
	made, err := configured(config)
	if err == nil {
		s.configuring.Lock()
		s.client = made
		s.configuring.Unlock()
	}
	return &tfprotov5.ConfigureProviderResponse{Diagnostics: diagnosed(err)}, nil
}

func (s *Server) StopProvider(context.Context, *tfprotov5.StopProviderRequest) (*tfprotov5.StopProviderResponse, error) {
	return &tfprotov5.StopProviderResponse{}, nil
}

// call decodes what a request is about; values that Terraform did not send are nil.
func (s *Server) call(ctx context.Context, name string, config, prior, planned *tfprotov5.DynamicValue) (*call, error) {
	r, ok := resources[name]
	if !ok {
		return nil, fmt.Errorf("the sandbox's provider has no resource type %q", name)
	}
	s.configuring.Lock()
	defer s.configuring.Unlock()
	c := &call{Context: ctx, client: s.client, name: name, r: r, schema: schemas[name].Block}
	var errs [3]error
	c.config, errs[0] = c.schema.decode(config)
	c.prior, errs[1] = c.schema.decode(prior)
	c.planned, errs[2] = c.schema.decode(planned)
	return c, errors.Join(errs[:]...)
}

func (s *Server) ValidateResourceTypeConfig(ctx context.Context, r *tfprotov5.ValidateResourceTypeConfigRequest) (*tfprotov5.ValidateResourceTypeConfigResponse, error) {
	c, err := s.call(ctx, r.TypeName, r.Config, nil, nil)
	if err != nil {
		return &tfprotov5.ValidateResourceTypeConfigResponse{Diagnostics: diagnosed(err)}, nil
	}
	allowed := r.ClientCapabilities != nil && r.ClientCapabilities.WriteOnlyAttributesAllowed
	return &tfprotov5.ValidateResourceTypeConfigResponse{Diagnostics: diagnosed(c.validate(allowed)...)}, nil
}

func (s *Server) UpgradeResourceState(_ context.Context, r *tfprotov5.UpgradeResourceStateRequest) (*tfprotov5.UpgradeResourceStateResponse, error) {
	b := schemas[r.TypeName].Block
	options := tfprotov5.UnmarshalOpts{ValueFromJSONOpts: tftypes.ValueFromJSONOpts{IgnoreUndefinedAttributes: true}}
	value, err := r.RawState.UnmarshalWithOpts(b.proto().ValueType(), options)
	if err != nil {
		return &tfprotov5.UpgradeResourceStateResponse{Diagnostics: diagnosed(err)}, nil
	}
	upgraded, err := tfprotov5.NewDynamicValue(b.proto().ValueType(), value)
	return &tfprotov5.UpgradeResourceStateResponse{UpgradedState: &upgraded, Diagnostics: diagnosed(err)}, nil
}

func (s *Server) ReadResource(ctx context.Context, r *tfprotov5.ReadResourceRequest) (*tfprotov5.ReadResourceResponse, error) {
	result := &tfprotov5.ReadResourceResponse{Private: r.Private}
	c, err := s.call(ctx, r.TypeName, nil, r.CurrentState, nil)
	if err == nil {
		defer c.bounded("read")()
		var state object
		if state, err = c.readObject(c.prior); err == nil {
			result.NewState, err = c.schema.encode(state)
		}
	}
	result.Diagnostics = diagnosed(err)
	return result, nil
}

func (s *Server) PlanResourceChange(ctx context.Context, r *tfprotov5.PlanResourceChangeRequest) (*tfprotov5.PlanResourceChangeResponse, error) {
	result := &tfprotov5.PlanResourceChangeResponse{PlannedPrivate: r.PriorPrivate, UnsafeToUseLegacyTypeSystem: true}
	c, err := s.call(ctx, r.TypeName, r.Config, r.PriorState, r.ProposedNewState)
	if err != nil {
		result.Diagnostics = diagnosed(err)
		return result, nil
	}
	if c.planned == nil { // a destroy
		result.PlannedState = r.ProposedNewState
		return result, nil
	}
	planned, replaced := c.plan()
	for _, name := range replaced {
		result.RequiresReplace = append(result.RequiresReplace, tftypes.NewAttributePath().WithAttributeName(name))
	}
	result.PlannedState, err = c.schema.encode(planned)
	result.Diagnostics = diagnosed(err)
	return result, nil
}

func (s *Server) ApplyResourceChange(ctx context.Context, r *tfprotov5.ApplyResourceChangeRequest) (*tfprotov5.ApplyResourceChangeResponse, error) {
	result := &tfprotov5.ApplyResourceChangeResponse{Private: r.PlannedPrivate, UnsafeToUseLegacyTypeSystem: true}
	c, err := s.call(ctx, r.TypeName, r.Config, r.PriorState, r.PlannedState)
	if err != nil {
		result.NewState, result.Diagnostics = r.PriorState, diagnosed(err)
		return result, nil
	}
	state, err := c.apply()
	encoded, encoding := c.schema.encode(state)
	result.NewState, result.Diagnostics = encoded, diagnosed(err, encoding)
	return result, nil
}

func (c *call) apply() (object, error) {
	verb, change := "create", c.createObject
	switch {
	case c.planned == nil:
		verb, change = "delete", c.destroyed
	case c.prior != nil:
		verb, change = "update", c.updateObject
	}
	defer c.bounded(verb)()
	return change()
}

// bounded ends the call, with its retries, after what `timeouts` allows.
func (c *call) bounded(verb string) context.CancelFunc {
	c.timeout = c.limit(verb)
	ctx, cancel := context.WithTimeout(c.Context, c.timeout)
	c.Context = ctx
	return cancel
}

func (c *call) destroyed() (object, error) {
	if err := c.deleteObject(); err != nil {
		return c.prior, err
	}
	return nil, nil
}

func (c *call) limit(verb string) time.Duration {
	chosen := c.planned
	if chosen == nil {
		chosen = c.prior
	}
	timeouts, _ := chosen["timeouts"].(object)
	result, err := duration(timeouts[verb], callTimeout)
	if err != nil {
		return callTimeout
	}
	return result
}

func (s *Server) ImportResourceState(ctx context.Context, r *tfprotov5.ImportResourceStateRequest) (*tfprotov5.ImportResourceStateResponse, error) {
	c, err := s.call(ctx, r.TypeName, nil, nil, nil)
	if err != nil {
		return &tfprotov5.ImportResourceStateResponse{Diagnostics: diagnosed(err)}, nil
	}
	state, err := c.imported(r.ID)
	if err != nil {
		return &tfprotov5.ImportResourceStateResponse{Diagnostics: diagnosed(err)}, nil
	}
	encoded, err := c.schema.encode(state)
	return &tfprotov5.ImportResourceStateResponse{
		ImportedResources: []*tfprotov5.ImportedResource{{TypeName: r.TypeName, State: encoded}}, Diagnostics: diagnosed(err),
	}, nil
}
