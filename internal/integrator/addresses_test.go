// Copyright The integrator-operator Authors.
// SPDX-License-Identifier: Apache-2.0

package integrator

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestAddressKinds has the first and the last address of every range.
func TestAddressKinds(t *testing.T) {
	for want, addresses := range map[addressKind][]string{
		public: {
			"1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0",
			"169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0", "223.255.255.255",
			"2600:1f18::1", "2a00:1450:4001::1", "::ffff:1.1.1.1", "64:ff9b::1.1.1.1", "64:ff9b::1.1.1.1%eth0",
		},
		loopback: {"127.0.0.1", "127.0.0.0", "127.255.255.255", "::1", "::ffff:127.0.0.1"},
		private: {
			"10.0.0.0", "10.255.255.255", "172.16.0.0", "172.31.255.255", "192.168.0.0", "192.168.255.255",
			"100.64.0.0", "100.127.255.255", "fc00::", "fdff:ffff::1", "::ffff:10.0.0.1", "::ffff:a9f:1", "fc00::1%eth0",
			"64:ff9b::10.0.0.1", "64:ff9b::192.168.0.1", "64:ff9b::172.16.0.1", "64:ff9b::100.64.0.1",
		},
		forbidden: {
			"0.0.0.0", "0.255.255.255", "169.254.0.0", "169.254.169.254", "169.254.255.255", "100.100.100.200", "168.63.129.16",
			"192.0.0.192", "192.0.2.1", "192.88.99.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1",
			"224.0.0.0", "239.255.255.255", "240.0.0.0", "255.255.255.255",
			"::", "::2", "::7f00:1", "::ffff:0.0.0.0", "::ffff:169.254.169.254", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1",
			"fd00:ec2::254", "fd20:ce::254", "2001::1", "2001:db8::1", "2002:7f00:1::", "3fff::1", "100::1", "4000::1",
			"64:ff9b::127.0.0.1", "64:ff9b::169.254.169.254", "64:ff9b::0.0.0.0", "64:ff9b::100.100.100.200", "64:ff9b::224.0.0.1", "64:ff9b::1:101:101",
			"64:ff9b:1::1.1.1.1", "64:ff9b:1:fffe::10.0.0.1", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", "64:ff9b:2::1.1.1.1",
			"2002:a00:1::1", "2002:101:101::1", "2001:0:101:101::f5ff:fffe", "::1.1.1.1", "::ffff:0:1.1.1.1", "::ffff:0:10.0.0.1",
		},
	} {
		for _, address := range addresses {
			if got := kindOf(netip.MustParseAddr(address)); got != want {
				t.Errorf("%s has kind %d, want %d", address, got, want)
			}
		}
	}
}

// TestNAT64 has addresses of networks that have prefixes of their own: 1.1.1.1, 10.0.0.1, 127.0.0.1
// and 169.254.169.254 with each length.
func TestNAT64(t *testing.T) {
	for name, tc := range map[string]struct {
		reason, prefix string
		want           map[string]addressKind
	}{
		"Length32": {"the IPv4 address follows the prefix", "2600:64::/32", map[string]addressKind{
			"2600:64:101:101::": public, "2600:64:a00:1::": private, "2600:64:7f00:1::": forbidden, "2600:64:a9fe:a9fe::": forbidden, "2600:65:a00:1::": public,
		}},
		"Length40": {"it goes around byte 8", "2600:64:0100::/40", map[string]addressKind{
			"2600:64:101:101:1::": public, "2600:64:10a:0:1::": private, "2600:64:17f:0:1::": forbidden, "2600:64:1a9:fea9:fe::": forbidden,
		}},
		"Length48": {"as here", "2600:64:1::/48", map[string]addressKind{
			"2600:64:1:101:1:100::": public, "2600:64:1:a00:0:100::": private, "2600:64:1:7f00:0:100::": forbidden, "2600:64:1:a9fe:a9:fe00::": forbidden,
		}},
		"Length56": {"and here", "2600:64:1::/56", map[string]addressKind{
			"2600:64:1:1:1:101::": public, "2600:64:1:a:0:1::": private, "2600:64:1:7f:0:1::": forbidden, "2600:64:1:a9:fe:a9fe::": forbidden,
		}},
		"Length64": {"it follows byte 8", "2600:64:1:1::/64", map[string]addressKind{
			"2600:64:1:1:1:101:100::": public, "2600:64:1:1:a:0:100::": private, "2600:64:1:1:7f:0:100::": forbidden, "2600:64:1:1:a9:fea9:fe00::": forbidden,
		}},
		"Length96": {"it is at the end", "2600:64::/96", map[string]addressKind{
			"2600:64::1.1.1.1": public, "2600:64::10.0.0.1": private, "2600:64::127.0.0.1": forbidden, "2600:64::169.254.169.254": forbidden, "2600:64::1:a00:1": public,
		}},
		"UniqueLocal": {"a prefix of a private network leads to the internet", "fd64::/96", map[string]addressKind{
			"fd64::1.1.1.1": public, "fd64::10.0.0.1": private, "fd64::169.254.169.254": forbidden, "fd65::1": private,
		}},
		"Local": {"the range for such prefixes", "64:ff9b:1:fffe::/96", map[string]addressKind{
			"64:ff9b:1:fffe::1.1.1.1": public, "64:ff9b:1:fffe::10.0.0.1": private, "64:ff9b:1::1.1.1.1": forbidden,
		}},
		"WholeLocal": {"all of it", "64:ff9b:1::/48", map[string]addressKind{
			"64:ff9b:1:101:1:100::": public, "64:ff9b:1:a00:0:100::": private, "64:ff9b:1:101:101:100::": forbidden,
		}},
		"WellKnown": {"the one that is always known", "64:ff9b::/96", map[string]addressKind{
			"64:ff9b::1.1.1.1": public, "64:ff9b::10.0.0.1": private, "64:ff9b::127.0.0.1": forbidden,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			prefix, err := ParseNAT64(tc.prefix)
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]addressKind{}
			for address := range tc.want {
				got[address] = addressRules{nat64: []netip.Prefix{prefix}}.kindOf(netip.MustParseAddr(address))
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
	both := addressRules{nat64: []netip.Prefix{netip.MustParsePrefix("2600:64::/32"), netip.MustParsePrefix("2600:64::/96")}}
	if got := both.kindOf(netip.MustParseAddr("2600:64::10.0.0.1")); got != private {
		t.Errorf("a prefix within another: kind %d", got)
	}
}

func TestParseNAT64(t *testing.T) {
	const length, noNetwork = "its length must be", "no network can have it"
	for raw, want := range map[string]string{
		"64:ff9b::/96": "", "64:ff9b:1::/48": "", "64:ff9b:1:2::/96": "", "2600:64::/32": "", "fd64::/64": "",
		"64:ff9b::": "use an IPv6 prefix", "10.0.0.0/8": "use an IPv6 prefix", "::ffff:0:0/96": "use an IPv6 prefix", "x": "use an IPv6 prefix", "": "use an IPv6 prefix",
		"2600:64::/33": length, "2600:64::/128": length, "::/0": length, "2000::/3": length,
		"2600:64::1/96": "use 2600:64::/96", "2600:64:0:0:100::/96": "its bits 64 to 71",
		"::/96": noNetwork, "fe80::/64": noNetwork, "fd00:ec2::/32": noNetwork, "2002::/32": noNetwork, "64:ff9b::/32": noNetwork, "64:ff9b:2::/48": noNetwork,
	} {
		prefix, err := ParseNAT64(raw)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %s, %v, want %q", raw, prefix, err, want)
		}
	}
}

// TestBaseURLFaults: all that is wrong is said at once, and nothing of the URL is repeated.
func TestBaseURLFaults(t *testing.T) {
	const (
		scheme, plainHTTP = "it must begin with https://", "it must begin with https://; only --allow-http permits http, for tests on one machine"
		user, query       = "it must not contain a user name or password", "it must have neither a query nor a fragment"
		address           = "its host is an address; use a name, as in https://api.integrator.io"
		thisMachine       = address + ", or 127.0.0.1, [::1] or localhost for this machine"
		onlyAllowed       = "its host is this machine, which only --allow-http permits, for tests on one machine"
		name              = "its host is not a plain name of ASCII letters, digits, \"-\" and \".\"; use one as in https://api.integrator.io, and write other scripts in their ASCII form (xn--)"
		port, path        = "its port must be a number from 1 to 65535", "its path must have parts of letters, digits, \"-\", \"_\", \".\" and \"~\", which are not empty and do not begin with \".\""
	)
	for _, tc := range []struct {
		reason, url   string
		strict, local []string // without and with AllowHTTP
	}{
		{reason: "as documented", url: "https://api.integrator.io"},
		{reason: "scheme and host have no case", url: "HTTPS://API.Integrator.IO/"},
		{reason: "a name in its ASCII form", url: "https://xn--bcher-kva.example"},
		{reason: "the port of https", url: "https://gw.test:443/celigo/"},
		{reason: "IPv4 loopback", url: "http://127.0.0.1:8080", strict: []string{plainHTTP}},
		{reason: "all of 127.0.0.0/8 is this machine", url: "http://127.0.0.2:8080", strict: []string{plainHTTP}},
		{reason: "IPv6 loopback", url: "http://[::1]:8080", strict: []string{plainHTTP}},
		{reason: "without a port", url: "http://[::1]", strict: []string{plainHTTP}},
		{reason: "written at length", url: "http://[0:0:0:0:0:0:0:1]:8080", strict: []string{plainHTTP}},
		{reason: "mapped", url: "http://[::ffff:127.0.0.1]:8080", strict: []string{plainHTTP}},
		{reason: "a name, whose address is checked when it is called", url: "http://localhost:8080", strict: []string{plainHTTP}},
		{reason: "with TLS", url: "https://[::1]:8443", strict: []string{onlyAllowed}},
		{reason: "with TLS", url: "https://127.0.0.1:8443", strict: []string{onlyAllowed}},
		{reason: "every address of the machine, which nobody calls", url: "http://0.0.0.0:8080", strict: []string{plainHTTP, address}, local: []string{thisMachine}},
		{reason: "the same", url: "http://[::]:8080", strict: []string{plainHTTP, address}, local: []string{thisMachine}},
		{reason: "loopback has no zone", url: "http://[::1%25lo]:8080", strict: []string{plainHTTP, address}, local: []string{thisMachine}},
		{reason: "loopback beyond a gateway", url: "http://[64:ff9b::127.0.0.1]:8080", strict: []string{plainHTTP, address}, local: []string{thisMachine}},
		{reason: "an address elsewhere", url: "https://[2600:1f18::1]:8443", strict: []string{address}, local: []string{thisMachine}},
		{reason: "an address elsewhere", url: "https://1.1.1.1", strict: []string{address}, local: []string{thisMachine}},
		{reason: "a private address", url: "https://10.0.0.1", strict: []string{address}, local: []string{thisMachine}},
		{reason: "half an address", url: "http://127.1:8080", strict: []string{plainHTTP, name}, local: []string{name}},
		{reason: "another script", url: "https://b\u00fccher.example", strict: []string{name}, local: []string{name}},
		{reason: "an underscore", url: "https://api_x.example", strict: []string{name}, local: []string{name}},
		{reason: "credentials", url: "https://u:s3cret@api.integrator.io", strict: []string{user}, local: []string{user}},
		{reason: "query", url: "https://api.integrator.io?s3cret", strict: []string{query}, local: []string{query}},
		{reason: "fragment", url: "https://api.integrator.io/#s3cret", strict: []string{query}, local: []string{query}},
		{reason: "no scheme", url: "api.integrator.io", strict: []string{scheme, "it has no host"}, local: []string{scheme, "it has no host"}},
		{reason: "a scheme without a host", url: "https://", strict: []string{"it has no host"}, local: []string{"it has no host"}},
		{reason: "another scheme", url: "ftp://api.integrator.io", strict: []string{scheme}, local: []string{scheme}},
		{reason: "the API's own path", url: "https://api.integrator.io/v1/", strict: []string{"it must not end with /v1, which is added to it"}, local: []string{"it must not end with /v1, which is added to it"}},
		{reason: "no URL", url: "https://[::1", strict: []string{"it is not a URL; use one like https://api.integrator.io"}, local: []string{"it is not a URL; use one like https://api.integrator.io"}},
		{reason: "an empty port", url: "https://api.integrator.io:", strict: []string{"its port is empty"}, local: []string{"its port is empty"}},
		{
			reason: "everything", url: "http://u:s3cret@10.0.0.1:0/a//b?s3cret#s3cret",
			strict: []string{user, plainHTTP, query, port, address, path}, local: []string{user, query, port, thisMachine, path},
		},
	} {
		for allowHTTP, want := range map[bool][]string{false: tc.strict, true: tc.local} {
			got := BaseURLFaults(tc.url, allowHTTP)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: %s, with AllowHTTP %t (-want +got):\n%s", tc.reason, tc.url, allowHTTP, diff)
			}
			if text := strings.Join(got, " "); strings.Contains(text, "s3cret") {
				t.Errorf("%s: %s", tc.reason, text)
			}
			if _, err := New(Config{BaseURL: tc.url, Token: testToken, AllowHTTP: allowHTTP}); (err == nil) != (want == nil) {
				t.Errorf("%s: %s, with AllowHTTP %t: %v", tc.reason, tc.url, allowHTTP, err)
			}
		}
	}
}

func TestAddressRules(t *testing.T) {
	const global, local, internal, linkLocal = "1.1.1.1:443", "[::1]:443", "10.0.0.1:443", "[fe80::1%eth0]:443"
	for _, tc := range []struct {
		rules addressRules
		want  []string
	}{
		{addressRules{}, []string{global}},
		{addressRules{loopback: true}, []string{global, local}},
		{addressRules{private: true}, []string{global, internal}},
		{addressRules{loopback: true, private: true}, []string{global, local, internal}},
	} {
		for _, address := range []string{global, local, internal, linkLocal, "name:443", ""} {
			want := false
			for _, permitted := range tc.want {
				want = want || permitted == address
			}
			err := tc.rules.control("tcp", address, nil)
			if (err == nil) != want || err != nil && errors.Is(err, ErrPrivateAddress) != (address == internal) {
				t.Errorf("%+v: %q: %v", tc.rules, address, err)
			}
		}
	}
}

// TestHostileBaseURLs: whatever the URL, no connection is made and no name is looked up but
// that of a plain host.
func TestHostileBaseURLs(t *testing.T) {
	victim := newWire(t, func(_ *wire, _ int, conn *net.TCPConn) { _, _ = io.Copy(io.Discard, conn) })
	port := victim.url[strings.LastIndex(victim.url, ":"):]
	names := &nameServer{answer: netip.MustParseAddr("127.0.0.1")}
	names.install(t)
	for _, host := range []string{
		// The machine itself, as addresses of all kinds.
		"127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.1", "0x7F.0.0.1", "0177.0.0.1", "017700000001", "127.0.0.01",
		"127.0.0.1.", "0", "0.0.0.0", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[0:0:0:0:0:0:0:1]",
		"[64:ff9b::127.0.0.1]", "[fe80::1%25lo]", "[fe80::1%lo]", "[::1%25lo]", "[127.0.0.1]", "[localhost]",
		// Other networks.
		"10.0.0.1", "192.168.0.1", "169.254.169.254", "[fd00:ec2::254]", "1.1.1.1", "[2600:1f18::1]",
		// Names that are changed into another host.
		"１２７.0.0.1", "127。0。0。1", "ⓛocalhost", "localhost%00", "%6cocalhost", "local%68ost", "localhost.", "api..integrator.io", ".localhost",
		"-localhost", "api_x.localhost", "api.integrator.io@localhost", "token:x@localhost", "@localhost", `api.integrator.io\@localhost`,
		"localhost\t", " localhost", "localhost\r\nHost: api.integrator.io", "api.integrator.io,localhost", "*.localhost",
	} {
		if _, err := New(Config{BaseURL: "https://" + host + port, Token: testToken, AllowPrivate: true}); err == nil {
			t.Errorf("%q is accepted as a host", host)
		}
	}
	for _, port := range []string{":", ":0", ":00443", ":65536", ":99999999999999999999", ":-1", ":+443", ":443:443", ":https", ":443 ", ":0x1bb", ":%34%34%33"} {
		if _, err := New(Config{BaseURL: "https://api.integrator.io" + port, Token: testToken}); err == nil {
			t.Errorf("%q is accepted as a port", port)
		}
	}
	for _, url := range []string{"http://localhost" + port, "HTTP://localhost" + port, "unix:///run/docker.sock", "file://localhost/etc/passwd", "gopher://localhost" + port} {
		if _, err := New(Config{BaseURL: url, Token: testToken, AllowPrivate: true}); err == nil {
			t.Errorf("%q is accepted", url)
		}
	}
	if n := names.asked.Load(); n != 0 {
		t.Errorf("%d names were looked up", n)
	}
	if conns, _ := victim.seen(); conns != 0 {
		t.Errorf("%d connections were made", conns)
	}
}

// TestRebinding: the host is a plain name, and what it is resolved to is where the token must
// not go. Each call looks it up again, so a check before the call would be of no use.
func TestRebinding(t *testing.T) {
	reached := make(chan struct{}, 1)
	victim := newWire(t, func(_ *wire, _ int, conn *net.TCPConn) {
		select {
		case reached <- struct{}{}:
		default:
		}
		_, _ = io.Copy(io.Discard, conn)
	})
	port := victim.url[strings.LastIndex(victim.url, ":"):]
	names := &nameServer{}
	names.install(t)
	for _, tc := range []struct {
		addresses            []string
		allowHTTP, allowPriv bool
	}{
		{addresses: []string{"127.0.0.1", "::1", "10.0.0.1", "fd12::1", "100.64.0.1", "64:ff9b::10.0.0.1"}},
		{addresses: []string{"10.0.0.1", "fd12::1", "100.64.0.1"}, allowHTTP: true},
		{addresses: []string{"127.0.0.1", "::1", "::ffff:127.0.0.1"}, allowPriv: true},
		{
			addresses: []string{"0.0.0.0", "::", "169.254.169.254", "fe80::1", "224.0.0.1", "ff02::1", "64:ff9b::127.0.0.1", "64:ff9b::169.254.169.254", "fd00:ec2::254"},
			allowHTTP: true, allowPriv: true,
		},
	} {
		c := clientOf(t, "https://api.rebind.test"+port, func(c *Config) { c.AllowHTTP, c.AllowPrivate = tc.allowHTTP, tc.allowPriv })
		for _, address := range tc.addresses {
			names.answer = netip.MustParseAddr(address)
			for op, call := range calls(c) {
				before := names.asked.Load()
				err := call(t.Context())
				if e := apiError(t, err); !errors.Is(err, ErrAddressNotAllowed) || e.Sent || e.StatusCode != 0 {
					t.Errorf("%s, at %s: %v, Sent %t; want %v and nothing sent", op, address, err, e.Sent, ErrAddressNotAllowed)
				}
				if strings.Contains(err.Error(), address) {
					t.Errorf("%s: the error %q tells the address", op, err)
				}
				if names.asked.Load() == before {
					t.Errorf("%s: the name was not looked up", op)
				}
			}
		}
	}
	if conns, _ := victim.seen(); conns != 0 {
		t.Errorf("%d connections were made", conns)
	}

	// The same name, address and port, permitted: it is the rule that kept the calls back.
	names.answer = netip.MustParseAddr("127.0.0.1")
	c := clientOf(t, "http://api.rebind.test"+port)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		<-reached
		cancel()
	}()
	if err := c.DeleteImport(ctx, testID); !errors.Is(err, context.Canceled) {
		t.Errorf("with loopback permitted: %v, want a connection", err)
	}
}

// nameServer answers every question with one address. It is spoken to through memory.
type nameServer struct {
	answer netip.Addr
	asked  atomic.Int64
}

// install makes it the resolver of the process, which the client's dialer takes.
func (s *nameServer) install(t *testing.T) {
	t.Helper()
	before := net.DefaultResolver
	t.Cleanup(func() { net.DefaultResolver = before })
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go s.serve(theirs)
		return ours, nil
	}}
}

// serve speaks DNS as over TCP: each message comes after its length.
func (s *nameServer) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	for {
		var length [2]byte
		if _, err := io.ReadFull(conn, length[:]); err != nil {
			return
		}
		query := make([]byte, binary.BigEndian.Uint16(length[:]))
		if _, err := io.ReadFull(conn, query); err != nil {
			return
		}
		s.asked.Add(1)
		reply := s.reply(query)
		if _, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(reply))), reply...)); err != nil { //nolint:gosec // some hundred bytes
			return
		}
	}
}

// reply has the question, and the address if it has the requested type.
func (s *nameServer) reply(query []byte) []byte {
	const header, a, aaaa = 12, 1, 28
	end := header
	for query[end] != 0 {
		end += int(query[end]) + 1
	}
	end += 5 // the end of the name, type and class
	kind := binary.BigEndian.Uint16(query[end-4:])
	reply := append([]byte{query[0], query[1], 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}, query[header:end]...)
	if is4 := s.answer.Is4(); is4 && kind == a || !is4 && kind == aaaa {
		address := s.answer.AsSlice()
		reply[7] = 1
		reply = append(reply, 0xc0, header, 0, byte(kind), 0, 1, 0, 0, 0, 0, 0, byte(len(address))) //nolint:gosec // 4 or 16
		reply = append(reply, address...)
	}
	return reply
}
