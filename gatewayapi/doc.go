// Package gatewayapi holds what every part that deals with Gateway API objects
// shares: the versions and channels, which field may be used in which, and the
// API's limits. Package emit writes objects from a routing table, package
// compile reads them back, package validate checks them against the CRDs.
package gatewayapi
