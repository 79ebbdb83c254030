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
)

// TestAddressKinds has the first and the last address of every range.
func TestAddressKinds(t *testing.T) {
	for want, addresses := range map[addressKind][]string{
		public: {
			"1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0",
			"169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0", "223.255.255.255",
			"2600:1f18::1", "2a00:1450:4001::1", "::ffff:1.1.1.1", "64:ff9b::1.1.1.1",
		},
		loopback: {"127.0.0.1", "127.0.0.0", "127.255.255.255", "::1", "::ffff:127.0.0.1"},
		private: {
			"10.0.0.0", "10.255.255.255", "172.16.0.0", "172.31.255.255", "192.168.0.0", "192.168.255.255",
			"100.64.0.0", "100.127.255.255", "fc00::", "fdff:ffff::1", "::ffff:10.0.0.1", "::ffff:a9f:1",
		},
		forbidden: {
			"0.0.0.0", "0.255.255.255", "169.254.0.0", "169.254.169.254", "169.254.255.255", "100.100.100.200", "168.63.129.16",
			"192.0.0.192", "192.0.2.1", "192.88.99.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1",
			"224.0.0.0", "239.255.255.255", "240.0.0.0", "255.255.255.255",
			"::", "::2", "::7f00:1", "::ffff:0.0.0.0", "::ffff:169.254.169.254", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1",
			"fd00:ec2::254", "fd20:ce::254", "2001::1", "2001:db8::1", "2002:7f00:1::", "3fff::1", "100::1", "4000::1",
			"64:ff9b::127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b::169.254.169.254", "64:ff9b::0.0.0.0", "64:ff9b::100.64.0.1", "64:ff9b:1::1.1.1.1",
		},
	} {
		for _, address := range addresses {
			if got := kindOf(netip.MustParseAddr(address)); got != want {
				t.Errorf("%s has kind %d, want %d", address, got, want)
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
			if err := tc.rules.control("tcp", address, nil); (err == nil) != want {
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
		{addresses: []string{"127.0.0.1", "::1", "10.0.0.1", "fd12::1", "100.64.0.1"}},
		{addresses: []string{"10.0.0.1", "fd12::1", "100.64.0.1"}, allowHTTP: true},
		{addresses: []string{"127.0.0.1", "::1", "::ffff:127.0.0.1"}, allowPriv: true},
		{
			addresses: []string{"0.0.0.0", "::", "169.254.169.254", "fe80::1", "224.0.0.1", "ff02::1", "64:ff9b::127.0.0.1", "fd00:ec2::254"},
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
