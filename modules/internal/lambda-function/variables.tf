variable "name" {
  description = "Name of the function, its role and its log group. Roles are global to an account: put the region into the name to deploy twice."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,64}$", var.name))
    error_message = "name must have 1 to 64 letters, digits, hyphens or underscores: Lambda and IAM take no more."
  }
}

variable "description" {
  description = "Purpose of the function, as the console shows it."
  type        = string
  default     = ""
  nullable    = false
}

################################################################################
# Function
################################################################################

variable "handler" {
  description = "Module and function that Lambda calls, e.g. `media_events.handlers.webhook.handler`."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z_][A-Za-z0-9_]*(\\.[A-Za-z_][A-Za-z0-9_]*)+$", var.handler))
    error_message = "handler must be a dotted Python path such as media_events.handlers.webhook.handler."
  }
}

variable "layers" {
  description = "ARNs of layers, versions included."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(var.layers) <= 5 && alltrue([for layer in var.layers : can(regex("^arn:[^:]+:lambda:[^:]+:[0-9]{12}:layer:[A-Za-z0-9_-]+:[0-9]+$", layer))])
    error_message = "layers must be up to 5 ARNs of layers with their versions, arn:aws:lambda:<region>:<account>:layer:<name>:<version>."
  }
}

variable "environment" {
  description = "Environment variables besides those that the module sets: `CONFIGURATION_URI`, `CONFIGURATION_SHA256`, `POWERTOOLS_*`. Never put a secret here."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for variable in keys(var.environment) : can(regex("^[A-Za-z][A-Za-z0-9_]+$", variable)) && !startswith(variable, "AWS_") && !startswith(variable, "LAMBDA_")])
    error_message = "Environment variables begin with a letter, have letters, digits and underscores, and not the prefixes AWS_ and LAMBDA_, which Lambda reserves."
  }
}

################################################################################
# Configuration
################################################################################

variable "configuration" {
  description = "The function's configuration, as JSON text. Stored in `settings.bucket` under a key made of its digest, so code and configuration never mix versions."
  type        = string
  default     = null

  validation {
    condition     = var.configuration == null ? true : can(jsondecode(var.configuration))
    error_message = "configuration must be JSON text: jsonencode({...})."
  }

  validation {
    condition     = var.configuration == null || var.settings.bucket != null
    error_message = "configuration needs a bucket to be stored in: settings.bucket = { name = ..., arn = ... }."
  }
}

################################################################################
# Permissions
################################################################################

variable "policy_statements" {
  description = <<-EOT
    Permissions of the function, besides writing its log and reading its configuration. The key becomes the statement's Sid.
      actions    = full names, e.g. `["sqs:SendMessage"]`; wildcards are refused
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
