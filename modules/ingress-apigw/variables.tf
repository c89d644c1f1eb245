variable "name" {
  description = "Name of the API, its function, queue, table and secrets."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,64}$", var.name))
    error_message = "name must have 1 to 64 letters, digits, hyphens or underscores."
  }
}

################################################################################
# Partners
################################################################################

variable "partners" {
  description = <<-EOT
    The partners that may call, by name; a partner's address is `/webhooks/<name>`.
      specification = content of a specification file, as JSON text; `jsonencode({ preset = "mux" })` alone is one
      secret_arns   = Secrets Manager secrets that verify the calls, current first, previous after it. Null: the module
                      makes one secret, `<name>/<partner>`, without a value, for you to fill. `[]`: none is needed. With
                      an `authorization` null is `[]`
      previous_secret_seconds = how long a secret's previous version (`AWSPREVIOUS`) is accepted after the current one was made;
                      `0` revokes it. After that its use is refused, and an alarm tells of it
      throttle      = limits of its own, `{ rate, burst }`. Null: those of `throttle`
      authorization = `{ type = "iam", principals }`: API Gateway lets in signed calls of the roles and users with these
                      ARNs, which `invoke_policies` allows to call; or `{ type = "jwt", issuer, audiences, scopes }`: it
                      lets in tokens of this issuer, for any of the audiences, with any of the scopes if there are some.
                      Either takes the place of the specification's verification. Null: calls are verified by signature
      require_client_certificate = only by mutual TLS, which `domain` must have, besides the signature or the authorization
  EOT
  type = map(object({
    specification           = string
    secret_arns             = optional(list(string))
    previous_secret_seconds = optional(number, 86400)
    throttle = optional(object({
      rate  = number
      burst = number
    }))
    authorization = optional(object({
      type       = string
      principals = optional(list(string), [])
      issuer     = optional(string)
      audiences  = optional(list(string), [])
      scopes     = optional(list(string), [])
    }))
    require_client_certificate = optional(bool, false)
  }))
  nullable = false

  validation {
    condition     = length(var.partners) > 0
    error_message = "partners is empty: an API needs at least one partner."
  }

  validation {
    condition     = alltrue([for partner in keys(var.partners) : can(regex("^[a-z0-9][a-z0-9-]{0,62}$", partner))])
    error_message = "A partner's name must have up to 63 lower-case letters, digits and hyphens: it is part of an address and of the events' source."
  }

  validation {
    condition     = alltrue([for partner in values(var.partners) : can(keys(jsondecode(partner.specification)))])
    error_message = "Every specification must be the JSON text of an object: jsonencode({ preset = \"mux\" })."
  }

  validation {
    condition     = alltrue(flatten([for partner in values(var.partners) : [for arn in coalesce(partner.secret_arns, []) : can(regex("^arn:[a-z-]+:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:", arn))]]))
    error_message = "secret_arns takes ARNs of Secrets Manager secrets, never the secrets themselves."
  }

  validation {
    condition     = alltrue([for partner in values(var.partners) : partner.previous_secret_seconds >= 0 && partner.previous_secret_seconds <= 2592000 && floor(partner.previous_secret_seconds) == partner.previous_secret_seconds])
    error_message = "previous_secret_seconds must be a whole number from 0 to 2592000 (30 days)."
  }

  validation {
    condition     = alltrue([for partner in values(var.partners) : partner.throttle == null ? true : partner.throttle.rate >= 1 && partner.throttle.burst >= 1])
    error_message = "A partner's throttle.rate and throttle.burst must be at least 1: 0 refuses every call."
  }

  validation {
    condition     = alltrue([for partner in values(var.partners) : partner.authorization == null ? true : contains(["iam", "jwt"], partner.authorization.type)])
    error_message = "A partner's authorization.type must be \"iam\" or \"jwt\". Leave authorization out where signatures are verified."
  }

  validation {
    condition = alltrue([for partner in values(var.partners) : partner.authorization == null ? true : partner.authorization.type != "iam" ? true : (
      length(partner.authorization.principals) > 0 && partner.authorization.issuer == null && length(partner.authorization.audiences) + length(partner.authorization.scopes) == 0
    )])
    error_message = "An authorization of type iam takes principals, at least one, and nothing else."
  }

  validation {
    condition     = alltrue(flatten([for partner in values(var.partners) : [for arn in try(partner.authorization.principals, []) : can(regex("^arn:[a-z-]+:iam::[0-9]{12}:(role|user)/[A-Za-z0-9_+=,.@/-]+$", arn))]]))
    error_message = "authorization.principals takes ARNs of IAM roles and users, each named in full: arn:aws:iam::<account>:role/<name>."
  }

  validation {
    condition = alltrue([for partner in values(var.partners) : partner.authorization == null ? true : partner.authorization.type != "jwt" ? true : (
      can(regex("^https://[^/\\s?#]+[^\\s?#]*$", partner.authorization.issuer)) && length(partner.authorization.principals) == 0
      && length(partner.authorization.audiences) >= 1 && length(partner.authorization.audiences) <= 50 && length(partner.authorization.scopes) <= 10
    )])
    error_message = "An authorization of type jwt takes an issuer (https://…), 1 to 50 audiences and up to 10 scopes, and no principals."
  }

  validation {
    condition     = alltrue([for partner in values(var.partners) : !partner.require_client_certificate]) || try(var.domain.mutual_tls, null) != null
    error_message = "require_client_certificate needs a domain with mutual_tls: without it API Gateway asks nobody for a certificate, and every call would be refused."
  }
}

variable "secret_key_arns" {
  description = "Customer managed keys of secrets given by `secret_arns`, other than `settings.kms_key`."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "secret_recovery_window_days" {
  description = "Days that a secret of the module can be brought back after its deletion: 7 to 30, or 0 to delete it at once."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.secret_recovery_window_days == 0 || (var.secret_recovery_window_days >= 7 && var.secret_recovery_window_days <= 30)
    error_message = "secret_recovery_window_days must be 0 or 7 to 30."
  }
}

################################################################################
# API
################################################################################

variable "throttle" {
  description = "Calls that API Gateway lets through for each partner without a `throttle` of its own: `rate` per second on average, `burst` at once. More get 429, which senders retry. A partner's calls don't count against another's; all unknown names together get 5 a second."
  type = object({
    rate  = optional(number, 100)
    burst = optional(number, 200)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.throttle.rate >= 1 && var.throttle.burst >= 1
    error_message = "throttle.rate and throttle.burst must be at least 1: 0 refuses every call."
  }
}

variable "domain" {
  description = <<-EOT
    A domain of your own for the API. Point a DNS record (an alias, or a CNAME) to `domain_target`; the module makes none.
      name            = such as `hooks.example.com`
      certificate_arn = certificate of Certificate Manager for that name, in the API's region
      mutual_tls      = callers must show a certificate that the truststore vouches for. The API's own address is switched
                        off then, since it asks for none
        truststore_uri     = PEM bundle of the certificate authorities, `s3://<bucket>/<key>`
        truststore_version = version of that object; without one a new bundle goes unnoticed
        ownership_verification_certificate_arn = public certificate that proves the name is yours, where
                             `certificate_arn` is imported or of a private authority
  EOT
  type = object({
    name            = string
    certificate_arn = string
    mutual_tls = optional(object({
      truststore_uri                         = string
      truststore_version                     = optional(string)
      ownership_verification_certificate_arn = optional(string)
    }))
  })
  default = null

  validation {
    condition     = var.domain == null ? true : can(regex("^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?[.])+[a-z][a-z0-9-]*[a-z0-9]$", var.domain.name)) && length(var.domain.name) <= 253
    error_message = "domain.name must be a name such as hooks.example.com: lower case, without https://, path or wildcard."
  }

  validation {
    condition     = var.domain == null ? true : alltrue([for arn in compact([var.domain.certificate_arn, try(var.domain.mutual_tls.ownership_verification_certificate_arn, null)]) : can(regex("^arn:[a-z-]+:acm:[a-z0-9-]+:[0-9]{12}:certificate/", arn))])
    error_message = "domain takes ARNs of certificates of Certificate Manager: arn:aws:acm:<region>:<account>:certificate/<id>."
  }

  validation {
    condition     = try(var.domain.mutual_tls, null) == null ? true : can(regex("^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/.+$", var.domain.mutual_tls.truststore_uri))
    error_message = "domain.mutual_tls.truststore_uri must be an object in S3: s3://<bucket>/<key>."
  }
}

variable "behind_cloudfront" {
  description = "Whether `internal/cloudfront` is in front. The API then takes only what brings the secret `origin_secret_name`, which waits for its value."
  type        = bool
  default     = false
  nullable    = false

  validation {
    condition     = !var.behind_cloudfront || var.domain == null
    error_message = "Behind CloudFront the domain is CloudFront's: give it to internal/cloudfront."
  }

  # A signature of AWS covers the host that the caller called, and API Gateway knows its own alone.
  validation {
    condition     = !var.behind_cloudfront || alltrue([for partner in values(var.partners) : try(partner.authorization.type, null) != "iam"])
    error_message = "Behind CloudFront no partner can have an authorization of type iam: AWS's signature covers the host, which is another one there."
  }
}

variable "max_body_bytes" {
  description = "Larger bodies are refused with 413. Lambda takes 6 MB at most."
  type        = number
  default     = 6291456
  nullable    = false

  validation {
    condition     = var.max_body_bytes >= 1024 && var.max_body_bytes <= 6291456 && floor(var.max_body_bytes) == var.max_body_bytes
    error_message = "max_body_bytes must be a whole number from 1024 to 6291456."
  }

  # A body's values take up to 32 times its bytes: tests/unit/media_events/test_memory.py measures it.
  validation {
    condition     = var.function.memory_mb >= 64 + 32 * ceil(var.max_body_bytes / 1048576)
    error_message = "function.memory_mb must be at least 64, and 32 more for each MiB of max_body_bytes: 256 for the largest bodies."
  }
}

################################################################################
# Alarms
################################################################################

variable "alarm_thresholds" {
  description = <<-EOT
    When the alarms go off, besides the one on the age of dead letters (`failure`).
      server_errors        = 5xx answers in five minutes
      client_error_percent = 4xx answers in percent of all, for a quarter of an hour
      latency_ms           = slowest hundredth (p99) of the calls
  EOT
  type = object({
    server_errors        = optional(number, 1)
    client_error_percent = optional(number, 50)
    latency_ms           = optional(number, 3000)
  })
  default  = {}
  nullable = false
}

variable "existing_access_log_group" {
  description = "Log group (`arn`) for the API's access log in place of one that the module makes. Its retention, class and key stay its owner's."
  type = object({
    arn = string
  })
  default = null

  validation {
    condition     = var.existing_access_log_group == null ? true : can(regex("^arn:[a-z-]+:logs:[a-z0-9-]+:[0-9]{12}:log-group:[^:]+(:\\*)?$", var.existing_access_log_group.arn)) && var.existing_api == null
    error_message = "existing_access_log_group.arn must be the ARN of a log group, arn:aws:logs:<region>:<account>:log-group:<name>; an API of yours has an access log of its own."
  }
}

variable "existing_api" {
  description = <<-EOT
    An HTTP API of yours, for the routes below `/webhooks`, in place of one that the module makes. Its stage is yours: deployment (`auto_deploy`, or
    deploy after each new partner), throttling, access log and domain.
      id            = of the API
      execution_arn = of the API
      endpoint      = where partners call it: `https://` and a host, without a path
      stage         = name of its stage, for the alarms
  EOT
  type = object({
    id            = string
    execution_arn = string
    endpoint      = string
    stage         = optional(string, "$default")
  })
  default = null

  validation {
    condition     = var.existing_api == null ? true : can(regex("^arn:[a-z-]+:execute-api:[a-z0-9-]+:[0-9]{12}:[a-z0-9]+$", var.existing_api.execution_arn)) && can(regex("^https?://[^/]+$", var.existing_api.endpoint))
    error_message = "existing_api: execution_arn is arn:aws:execute-api:<region>:<account>:<id>, and endpoint https:// with a host and no path."
  }

  validation {
    condition     = var.existing_api == null || (var.domain == null && alltrue([for partner in values(var.partners) : partner.throttle == null]))
    error_message = "An existing API's domain and throttling are its owner's: domain, and throttle of a partner, are for an API that the module makes."
  }
}
