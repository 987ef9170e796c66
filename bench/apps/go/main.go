// The race's push answered by Go's net/http and nothing else: what a careful hand would write.
// Usage: main ADDRESS, where ADDRESS is HOST:PORT or unix:PATH; main -bare ADDRESS answers a constant.
package main

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sort"
	"strconv"
	"strings"
	"time"
)

var (
	token  = os.Getenv("BENCH_TOKEN")
	appID  = os.Getenv("BENCH_APPID")
	key, _ = base64.StdEncoding.DecodeString(os.Getenv("BENCH_AES_KEY") + "=")
)

type push struct {
	ToUserName   string
	FromUserName string
	MsgType      string
	Content      string
	MsgId        int64
	Encrypt      string
}

func sign(parts ...string) string {
	sort.Strings(parts)
	sum := sha1.Sum([]byte(strings.Join(parts, "")))
	return hex.EncodeToString(sum[:])
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

func open(encrypt string) ([]byte, error) {
	data, err := base64.StdEncoding.DecodeString(encrypt)
	if err != nil || len(data) == 0 || len(data)%aes.BlockSize != 0 {
		return nil, errors.New("not sealed")
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	cipher.NewCBCDecrypter(block, key[:16]).CryptBlocks(data, data)
	pad := int(data[len(data)-1])
	if pad < 1 || pad > 32 || pad > len(data)-20 {
		return nil, errors.New("bad padding")
	}
	data = data[16 : len(data)-pad]
	size := int(binary.BigEndian.Uint32(data))
	if size > len(data)-4 || string(data[4+size:]) != appID {
		return nil, errors.New("bad length or AppID")
	}
	return data[4 : 4+size], nil
}

func seal(message []byte) (string, error) {
	data := make([]byte, 20, 64+len(message)+len(appID))
	if _, err := rand.Read(data[:16]); err != nil {
		return "", err
	}
	binary.BigEndian.PutUint32(data[16:], uint32(len(message)))
	data = append(append(data, message...), appID...)
	pad := 32 - len(data)%32
	data = append(data, bytes.Repeat([]byte{byte(pad)}, pad)...)
	block, err := aes.NewCipher(key)
	if err != nil {
		return "", err
	}
	cipher.NewCBCEncrypter(block, key[:16]).CryptBlocks(data, data)
	return base64.StdEncoding.EncodeToString(data), nil
}

func refuse(w http.ResponseWriter) { http.Error(w, "", http.StatusForbidden) }

func weixin(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	timestamp, nonce := query.Get("timestamp"), query.Get("nonce")
	if !same(query.Get("signature"), sign(token, timestamp, nonce)) {
		refuse(w)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 65536))
	var in push
	if err != nil || xml.Unmarshal(body, &in) != nil {
		http.Error(w, "", http.StatusBadRequest)
		return
	}
	sealed := query.Get("encrypt_type") == "aes"
	if sealed {
		if !same(query.Get("msg_signature"), sign(token, timestamp, nonce, in.Encrypt)) {
			refuse(w)
			return
		}
		plain, err := open(in.Encrypt)
		if err != nil || xml.Unmarshal(plain, &in) != nil {
			refuse(w)
			return
		}
	}
	text := strings.ReplaceAll("echo: "+in.Content, "]]>", "]]]]><![CDATA[>")
	out := []byte(fmt.Sprintf("<xml><ToUserName><![CDATA[%s]]></ToUserName><FromUserName><![CDATA[%s]]></FromUserName>"+
		"<CreateTime>%d</CreateTime><MsgType><![CDATA[text]]></MsgType><Content><![CDATA[%s]]></Content></xml>",
		in.FromUserName, in.ToUserName, time.Now().Unix(), text))
	if sealed {
		encrypt, err := seal(out)
		if err != nil {
			http.Error(w, "", http.StatusInternalServerError)
			return
		}
		now := strconv.FormatInt(time.Now().Unix(), 10)
		out = []byte(fmt.Sprintf("<xml><Encrypt><![CDATA[%s]]></Encrypt><MsgSignature><![CDATA[%s]]></MsgSignature>"+
			"<TimeStamp>%s</TimeStamp><Nonce><![CDATA[%s]]></Nonce></xml>", encrypt, sign(token, now, nonce, encrypt), now, nonce))
	}
	w.Header().Set("Content-Type", "text/xml")
	w.Write(out)
}

func bare(w http.ResponseWriter, r *http.Request) {
	io.ReadAll(r.Body)
	w.Header().Set("Content-Type", "text/xml")
	io.WriteString(w, "<xml><ToUserName><![CDATA[oBench]]></ToUserName><FromUserName><![CDATA[gh_bench]]></FromUserName>"+
		"<CreateTime>1700000000</CreateTime><MsgType><![CDATA[text]]></MsgType>"+
		"<Content><![CDATA[echo: 上海 天气]]></Content></xml>")
}

func main() {
	address, handler := os.Args[len(os.Args)-1], weixin
	if os.Args[1] == "-bare" {
		handler = bare
	}
	network := "tcp"
	if strings.HasPrefix(address, "unix:") {
		network, address = "unix", address[len("unix:"):]
	}
	listener, err := net.Listen(network, address)
	if err != nil {
		panic(err)
	}
	panic(http.Serve(listener, http.HandlerFunc(handler)))
}
