// Shows the API that a request came by CloudFront, and what the viewer sent: media_events/ingress/cloudfront.py reads it.
import cf from 'cloudfront';

const secrets = cf.kvs();

async function handler(event) {
  const request = event.request;
  const query = request.rawQueryString();
  // Without a secret this throws, CloudFront answers 503, and the sender tries again.
  request.headers['x-origin-secret'] = { value: await secrets.get('origin-secret') };
  request.headers['x-viewer-address'] = { value: event.viewer.ip };
  request.headers['x-viewer-host'] = { value: request.headers.host.value };
  // Over whatever the viewer sent, also where it sent no query.
  request.headers['x-viewer-query'] = { value: query === undefined ? '' : query };
  return request;
}
