(function () {
  "use strict";
  // SHA-256 (FIPS 180-4). The browser's own exists on https only, and takes longer for texts as short as these.
  var primes = [], roots = [], initial = [];
  for (var candidate = 2; primes.length < 64; candidate++) {
    if (primes.every(function (prime) { return candidate % prime; })) {
      primes.push(candidate);
    }
  }
  function fraction(value) { return ((value - Math.floor(value)) * 4294967296) | 0; }
  roots = primes.map(function (prime) { return fraction(Math.cbrt(prime)); });
  initial = primes.slice(0, 8).map(function (prime) { return fraction(Math.sqrt(prime)); });

  var schedule = new Int32Array(64);

  function compress(state, words, start) {
    var i, a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], f = state[5], g = state[6], h = state[7];
    for (i = 0; i < 64; i++) {
      if (i < 16) {
        schedule[i] = words[start + i];
      } else {
        var early = schedule[i - 15], late = schedule[i - 2];
        var s0 = (early >>> 7 | early << 25) ^ (early >>> 18 | early << 14) ^ (early >>> 3);
        var s1 = (late >>> 17 | late << 15) ^ (late >>> 19 | late << 13) ^ (late >>> 10);
        schedule[i] = (schedule[i - 16] + s0 + schedule[i - 7] + s1) | 0;
      }
      var t1 = (h + ((e >>> 6 | e << 26) ^ (e >>> 11 | e << 21) ^ (e >>> 25 | e << 7)) +
        ((e & f) ^ (~e & g)) + roots[i] + schedule[i]) | 0;
      var t2 = (((a >>> 2 | a << 30) ^ (a >>> 13 | a << 19) ^ (a >>> 22 | a << 10)) +
        ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g; g = f; f = e; e = (d + t1) | 0; d = c; c = b; b = a; a = (t1 + t2) | 0;
    }
    return [state[0] + a | 0, state[1] + b | 0, state[2] + c | 0, state[3] + d | 0,
      state[4] + e | 0, state[5] + f | 0, state[6] + g | 0, state[7] + h | 0];
  }

  function digest(text) {
    var blocks = (text.length + 9 + 63) >> 6, words = new Int32Array(blocks * 16), state = initial;
    for (var i = 0; i < text.length; i++) {
      words[i >> 2] |= text.charCodeAt(i) << (24 - (i & 3) * 8);
    }
    words[text.length >> 2] |= 0x80 << (24 - (text.length & 3) * 8);
    words[words.length - 1] = text.length * 8;
    for (var block = 0; block < blocks; block++) {
      state = compress(state, words, block * 16);
    }
    return state;
  }

  function solve(challenge, difficulty, progress, done) {
    var number = 0, expected = Math.pow(2, difficulty);
    function some() {
      var until = Date.now() + 40;
      while (Date.now() < until) {
        for (var turn = 0; turn < 200; turn++, number++) {
          var text = challenge + "." + number;
          if (digest(text)[0] >>> (32 - difficulty) === 0) {
            done(text);
            return;
          }
        }
      }
      progress(1 - Math.exp(-number / expected));
      setTimeout(some, 0);
    }
    some();
  }

  if (typeof document === "undefined") {
    module.exports = { digest: digest, solve: solve };
    return;
  }
  var data = document.body.dataset, status = document.getElementById("status");
  function fail(text) {
    document.getElementById("progress").remove();
    status.textContent = text;
  }
  if (!navigator.cookieEnabled) {
    fail("The check needs a cookie. Allow cookies for this site and load the page again.");
    return;
  }
  solve(data.challenge, Number(data.difficulty), function (share) {
    document.getElementById("progress").value = share;
  }, function (solution) {
    fetch(location.href, {
      headers: { "Bot-Challenge-Solution": solution },
      credentials: "same-origin",
      cache: "no-store",
      redirect: "manual"
    }).then(function (response) {
      if (response.status === 204) {
        location.reload();
      } else {
        fail("The check was not accepted. Load the page again.");
      }
    }, function () {
      fail("The site cannot be reached. Load the page again.");
    });
  });
})();
