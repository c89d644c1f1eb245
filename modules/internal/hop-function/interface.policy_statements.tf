# Generated from modules/internal/interfaces/policy_statements.tf by scripts/module_interfaces.py: edit that.

variable "policy_statements" {
  description = <<-EOT
    Permissions besides those that the module gives itself. The key becomes the statement's Sid.
      actions    = full names, e.g. `["lambda:InvokeFunction"]`; wildcards are refused
      resources  = ARNs; `["*"]` only for actions that know no resource-level permission
      conditions = (optional) list of `{ test, variable, values }`
  EOT
  type = map(object({
    actions   = list(string)
    resources = list(string)
    conditions = optional(list(object({
      test     = string
      variable = string
      values   = list(string)
    })), [])
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for sid in keys(var.policy_statements) : can(regex("^[A-Za-z0-9]+$", sid))])
    error_message = "The keys of policy_statements become Sids: letters and digits only."
  }

  validation {
    condition     = alltrue(flatten([for statement in values(var.policy_statements) : [for action in statement.actions : can(regex("^[a-z0-9-]+:[A-Za-z0-9]+$", action))]]))
    error_message = "Every action must be named in full (service:Action), without wildcards."
  }

  validation {
    condition     = alltrue([for statement in values(var.policy_statements) : length(statement.actions) > 0 && length(statement.resources) > 0])
    error_message = "Every statement of policy_statements needs at least one action and one resource."
  }
}
