################################################################################
# Hops that get no new events: they were removed, or became another kind under the same key
################################################################################

module "retired" {
  source = "../internal/hop-definitions"

  name       = var.name
  bus_arn    = var.bus_arn
  retired    = true
  transforms = var.retired.transforms
  routes     = var.retired.routes
  function   = var.function
  queue      = var.queue
  failure    = var.failure
  vpc        = var.settings.vpc
}

locals {
  retired = module.retired.hops

  # Those whose key no hop of now has. Their rules take nothing but what is redriven to them.
  hop_keys         = keys(module.definitions.hops.hops)
  retired_keys     = [for key in keys(local.retired.hops) : key if !contains(local.hop_keys, key)]
  retired_patterns = { for key in local.retired_keys : key => local.retired.patterns[key] }
  text_problems    = merge(local.retired.text_problems, module.definitions.hops.text_problems)

  # The routes that functions deliver, and how events reach these functions and those of transforms.
  retired_by_rule   = keys(local.retired.routes_by_rule)
  retired_functions = [for key in keys(local.retired.routes) : key if !contains(local.retired_by_rule, key)]
  retired_invocations = merge(
    { for key, transform in local.retired.transforms : key => transform.invocation },
    { for key in local.retired_functions : key => local.retired.routes[key].invocation },
  )
}
