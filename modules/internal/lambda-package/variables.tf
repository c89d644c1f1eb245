variable "bucket" {
  description = "Bucket for the zip, in the functions' region. The outputs of `storage-bucket` fit: `{ name = module.storage.bucket_name, arn = module.storage.bucket_arn }`."
  type = object({
    name = string
    arn  = optional(string)
  })
  nullable = false
}

variable "filename" {
  description = "A zip on the machine that runs Terraform. Null takes `lambda_src/dist/media_events.zip` of this repository, which a git source brings along."
  type        = string
  default     = null
}

variable "prefix" {
  description = "Where in the bucket the zip is: `<prefix>/<SHA-256>.zip`. Each deployment that shares a bucket needs its own: it removes the zip that it no longer uses. Nothing in the bucket's lifecycle rules may expire what is there."
  type        = string
  default     = "packages"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*$", var.prefix)) && !startswith(var.prefix, "bodies/")
    error_message = "prefix must be letters, digits, hyphens, underscores and dots, with single slashes in between, and not below bodies/, where objects expire."
  }
}

################################################################################
# Common
################################################################################

variable "tags" {
  description = "Tags for every resource that takes them."
  type        = map(string)
  default     = {}
  nullable    = false
}
