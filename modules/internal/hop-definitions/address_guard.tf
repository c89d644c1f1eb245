# Hosts that a URL may not name: the same table as the guard of the functions, which also looks at what names resolve to when it
# sends. Here a mistake is told when planned.

locals {
  # Each URL, whether private addresses in it are allowed, and whether this machine is.
  target_urls = { for key, route in local.routes : key => concat(
    [for http in route.target.http[*] : { url = http.url == null ? "" : http.url, private = length(http.allowed_private_cidrs) > 0, local = length(http.allowed_private_cidrs) > 0 }],
    [for http in route.target.http[*] : { url = http.auth.token_url, private = length(http.allowed_private_cidrs) > 0, local = length(http.allowed_private_cidrs) > 0 } if try(http.auth.token_url, null) != null],
    [for api in route.target.api_destination[*] : { url = api.url == null ? "" : api.url, private = false, local = api.allow_http }],
    [for api in route.target.api_destination[*] : { url = api.auth.token_url, private = false, local = false } if try(api.auth.token_url, null) != null],
  ) }

  # Beginnings of what follows the scheme, in lower case.
  host_patterns = {
    # Whatever is allowed: metadata services, which hand out credentials.
    never = ["169\\.254\\.[0-9.]+(:[0-9]*)?([/?#]|$)", "\\[fe[89ab][0-9a-f]:", "\\[fd00:0?ec2:", "\\[::ffff:(169\\.254\\.|a9fe:)"]
    # Numbers that a resolver takes for addresses, and zones.
    odd = ["([^/:?#]*\\.)?(0x[0-9a-f]*|[0-9]+)\\.?(:[0-9]*)?([/?#]|$)", "[^/?#]*%"]
    local = [
      "127\\.[0-9.]+(:[0-9]*)?([/?#]|$)", "\\[::1\\]", "([^/:?#]*\\.)?localhost\\.?(:[0-9]*)?([/?#]|$)",
    ]
    private = [
      "(0|10|22[4-9]|23[0-9]|24[0-9]|25[0-5])\\.[0-9.]+(:[0-9]*)?([/?#]|$)",
      "100\\.(6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7])\\.[0-9.]+(:[0-9]*)?([/?#]|$)",
      "172\\.(1[6-9]|2[0-9]|3[01])\\.[0-9.]+(:[0-9]*)?([/?#]|$)",
      "192\\.(168|0\\.0|0\\.2|88\\.99)\\.[0-9.]+(:[0-9]*)?([/?#]|$)",
      "198\\.(1[89]|51\\.100)\\.[0-9.]+(:[0-9]*)?([/?#]|$)",
      "203\\.0\\.113\\.[0-9.]+(:[0-9]*)?([/?#]|$)",
      # Of IPv6 only 2000::/3 is public, and of that not these.
      "\\[([^23]|.{0,3}[:\\]])",
      "\\[2001:(:|[0-9a-f]{1,2}:|[01][0-9a-f]{2}:|0[01][0-9a-f]{2}:|0?db8:)",
      "\\[2002:",
      "\\[3fff:(:|0?[0-9a-f]{1,3}:)",
    ]
  }

  dotted_quad = "^[a-z]+://(25[0-5]|2[0-4][0-9]|1?[0-9]{1,2})(\\.(25[0-5]|2[0-4][0-9]|1?[0-9]{1,2})){3}(:[0-9]*)?([/?#]|$)"
  zero_padded = "^[a-z]+://([^/?#]*\\.)?0[0-9]"

  forbidden_urls = { for key, urls in local.target_urls : key => [for each in urls : each.url if anytrue(concat(
    [for pattern in local.host_patterns.never : can(regex("^[a-z]+://${pattern}", lower(each.url)))],
    [for pattern in local.host_patterns.odd : can(regex("^[a-z]+://${pattern}", lower(each.url))) && (
      !can(regex(local.dotted_quad, lower(each.url))) || can(regex(local.zero_padded, lower(each.url)))
    )],
    [for pattern in local.host_patterns.local : can(regex("^[a-z]+://${pattern}", lower(each.url))) && !each.local],
    [for pattern in local.host_patterns.private : can(regex("^[a-z]+://${pattern}", lower(each.url))) && !each.private && !(each.local && can(regex("^[a-z]+://\\[::1\\]", lower(each.url))))],
  ))] }
}
