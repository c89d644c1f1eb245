variable "name" {
  description = "Name of the API, its function, queue, table and secrets."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,64}$", var.name))
    error_message = "name must have 1 to 64 letters, digits, hyphens or underscores."
  }
}

variable "bus_arn" {
  description = "ARN of the bus that accepted events are put on."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:[a-z-]+:events:[a-z0-9-]+:[0-9]{12}:event-bus/", var.bus_arn))
    error_message = "bus_arn must be the ARN of an event bus: arn:aws:events:<region>:<account>:event-bus/<name>."
  }
}

################################################################################
# Partners
################################################################################

variable "partners" {
  description = <<-EOT
    Who may call, by name; a partner's address is `/webhooks/<name>`.
      specification = what a specification file holds, as JSON text; `jsonencode({ preset = "mux" })` alone is one
      secret_arns   = Secrets Manager secrets that verify the calls, current first, previous after it. Null: the module
                      makes one secret, `<name>/<partner>`, without a value, for you to fill. `[]`: none is needed. With
                      an `authorization` null is `[]`
      throttle      = limits of its own, `{ rate, burst }`: what others send no longer counts against it, nor what it
                      sends against them. Null: it shares `throttle`
      authorization = `{ type = "iam", principals }`: API Gateway lets in signed calls of the roles and users with these
                      ARNs, which `invoke_policies` allows to call; or `{ type = "jwt", issuer, audiences, scopes }`: it
                      lets in tokens of this issuer, for any of the audiences, with any of the scopes if there are some.
                      Either takes the place of the specification's verification. Null: calls are verified by signature
      require_client_certificate = only by mutual TLS, which `domain` must have; comes on top of what else is asked for
  EOT
  type = map(object({
    specification = string
    secret_arns   = optional(list(string))
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
    error_message = "partners is empty: an API that nobody may call serves nobody."
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
  description = "Customer managed keys of secrets given by `secret_arns`, other than `kms_key_arn`."
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
  description = "Calls that API Gateway lets through, of all partners without a `throttle` of their own together: `rate` per second on average, `burst` at once. More get 429, which senders retry."
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

variable "max_body_bytes" {
  description = "Larger bodies are refused with 413. Lambda takes 6 MB at most."
  type        = number
  default     = 6291456
  nullable    = false

  validation {
    condition     = var.max_body_bytes >= 1024 && var.max_body_bytes <= 6291456 && floor(var.max_body_bytes) == var.max_body_bytes
    error_message = "max_body_bytes must be a whole number from 1024 to 6291456."
  }
}

variable "max_entry_bytes" {
  description = "Larger events go to the bucket, and the bus gets a pointer. EventBridge takes entries of 256 KB wherever it runs; leave some headroom."
  type        = number
  default     = 240000
  nullable    = false

  validation {
    condition     = var.max_entry_bytes >= 1024 && var.max_entry_bytes <= 1000000 && floor(var.max_entry_bytes) == var.max_entry_bytes
    error_message = "max_entry_bytes must be a whole number from 1024 to 1000000."
  }
}

################################################################################
# Function
################################################################################

variable "memory_mb" {
  description = "Memory of the function in MB; CPU grows with it, and a sender waits for the answer."
  type        = number
  default     = 512
  nullable    = false
}

variable "timeout_seconds" {
  description = "Seconds after which Lambda ends an invocation: API Gateway waits for 30."
  type        = number
  default     = 20
  nullable    = false

  validation {
    condition     = var.timeout_seconds >= 1 && var.timeout_seconds <= 29
    error_message = "timeout_seconds must be 1 to 29: API Gateway gives up after 30 seconds."
  }
}

variable "reserved_concurrency" {
  description = "Instances reserved for, and the most granted to, the function. Null shares the account's pool."
  type        = number
  default     = null
}

variable "runtime" {
  description = "Lambda runtime."
  type        = string
  default     = "python3.13"
  nullable    = false
}

variable "architecture" {
  description = "`arm64` or `x86_64`."
  type        = string
  default     = "arm64"
  nullable    = false
}

variable "log_level" {
  description = "The least severe level that is logged."
  type        = string
  default     = "INFO"
  nullable    = false
}

################################################################################
# Failures
################################################################################

variable "redrive" {
  description = "How `dlq-review` treats the dead letters: how often and how long apart it tries again, and for how long at most. Null leaves it to `dlq-review`."
  type = object({
    max_count          = optional(number, 3)
    base_delay_seconds = optional(number, 60)
    max_delay_seconds  = optional(number, 3600)
    max_age_seconds    = optional(number, 86400)
    max_per_second     = optional(number, 5)
  })
  default = null
}

variable "dlq_visibility_timeout_seconds" {
  description = "How long a message received from the dead-letter queue is hidden: six times the timeout of the function that reads it (60 seconds in `dlq-review`)."
  type        = number
  default     = 360
  nullable    = false
}

variable "bucket" {
  description = "Bucket for the configuration and for bodies too large for the bus: `{ name, arn }`. Null makes one."
  type = object({
    name = string
    arn  = string
  })
  default = null
}

variable "alarm_thresholds" {
  description = <<-EOT
    When the alarms go off.
      server_errors        = 5xx answers in five minutes
      client_error_percent = 4xx answers in percent of all, for a quarter of an hour
      latency_ms           = slowest hundredth (p99) of the calls
      dlq_age_seconds      = age of the oldest message in the dead-letter queue
  EOT
  type = object({
    server_errors        = optional(number, 1)
    client_error_percent = optional(number, 50)
    latency_ms           = optional(number, 3000)
    dlq_age_seconds      = optional(number, 14400)
  })
  default  = {}
  nullable = false
}

################################################################################
# Common
################################################################################

variable "lambda_package" {
  description = <<-EOT
    Where the function's code is; exactly one form. Null takes `lambda_src/dist/media_events.zip` of this repository,
    which a git source brings along.
      filename          = a zip on the machine that runs Terraform, or
      s3_bucket, s3_key, s3_object_version = a zip in S3
      source_code_hash  = base64 SHA-256 of the zip; read from `filename` when left out, needed to notice a new zip in S3
  EOT
  type = object({
    filename          = optional(string)
    s3_bucket         = optional(string)
    s3_key            = optional(string)
    s3_object_version = optional(string)
    source_code_hash  = optional(string)
  })
  default = null

  validation {
    condition = var.lambda_package == null ? true : (
      (var.lambda_package.filename != null) != (var.lambda_package.s3_bucket != null)
      && (var.lambda_package.s3_bucket != null) == (var.lambda_package.s3_key != null)
      && (var.lambda_package.s3_object_version == null || var.lambda_package.s3_bucket != null)
    )
    error_message = "lambda_package takes either filename, or s3_bucket with s3_key (and s3_object_version if you like): exactly one of the two."
  }
}

variable "log_retention_days" {
  description = "How long CloudWatch keeps the logs, in days."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "CloudWatch knows these numbers of days only: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653."
  }
}

variable "alarm_actions" {
  description = "ARNs that every alarm notifies when it goes off and when it recovers, an SNS topic's for instance."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "kms_key_arn" {
  description = "Customer managed key for everything that the module encrypts. Null uses AWS-owned keys."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null ? true : can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/", var.kms_key_arn))
    error_message = "kms_key_arn must be the ARN of a key (arn:aws:kms:…:key/…). An alias won't do, and the AWS-managed aws/sqs key can't be used by EventBridge."
  }
}

variable "permissions_boundary_arn" {
  description = "ARN of the permissions boundary of every role that the module creates."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags for every resource that takes them."
  type        = map(string)
  default     = {}
  nullable    = false
}
