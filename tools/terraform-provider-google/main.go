// The sandbox's stand-in for hashicorp/google: the resource types of Firelift's modules, over the same REST calls.
package main

import (
	"log"

	"firelift.dev/tools/terraform-provider-google/internal/google"
	"github.com/hashicorp/terraform-plugin-go/tfprotov5"
	"github.com/hashicorp/terraform-plugin-go/tfprotov5/tf5server"
)

func main() {
	serve := func() tfprotov5.ProviderServer { return google.NewServer() }
	if err := tf5server.Serve("registry.terraform.io/hashicorp/google", serve); err != nil {
		log.Fatal(err)
	}
}
