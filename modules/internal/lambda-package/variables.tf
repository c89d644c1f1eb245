variable "filename" {
  description = "A zip on the machine that runs Terraform. Null takes `lambda_src/dist/media_events.zip` of this repository, which a git source brings along."
  type        = string
  default     = null
}

variable "prefix" {
  description = "Where the zip is in `settings.bucket`, which must be in the functions' region: `<prefix>/<SHA-256>.zip`. Each deployment that shares a bucket needs its own prefix: it removes the zip that it no longer uses. No lifecycle rule of the bucket may expire what is there."
  type        = string
  default     = "packages"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*$", var.prefix)) && !startswith(var.prefix, "bodies/")
    error_message = "prefix must be letters, digits, hyphens, underscores and dots, with single slashes in between, and not below bodies/, where objects expire."
  }
}
