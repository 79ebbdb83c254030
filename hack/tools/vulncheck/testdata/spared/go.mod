module example.com/spared

go 1.26.0
