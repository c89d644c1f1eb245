output "hops" {
  description = <<-EOT
    `transforms` and `routes` with defaults filled in; of the routes, `routes_by_rule`, those whose rule sends by itself, and each
    one's `destination`; `patterns`, what EventBridge gets. Where anything is wrong the plan ends here, and says all of it.
  EOT
  value = {
    transforms     = local.transforms
    routes         = local.routes
    routes_by_rule = local.routes_by_rule
    destinations   = local.destinations
    hops           = { for key, hop in local.hops : key => { hop = hop.hop, stage = hop.stage, enabled = hop.enabled, rule_retry = hop.rule_retry } }
    patterns       = local.patterns
    # For the rules: those of one hop may be known when those of all are not.
    text_problems = { for key, hop in local.hops : key => [for problem in local.text_problems[hop.path] : "${local.place}${hop.path}: ${problem}"] }
  }

  precondition {
    condition     = length(local.all_known_problems) == 0
    error_message = join("\n", local.all_known_problems)
  }

  precondition {
    condition     = length(local.all_text_problems) == 0
    error_message = join("\n", local.all_text_problems)
  }
}
